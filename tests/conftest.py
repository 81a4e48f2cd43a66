"""Its place puts this folder on the import path, so that every suite finds `tolerances`.

Tests run side by side, one a core: a second thread of the linear algebra would only wait for the first, and the
CPU time that some tests bound would count its waiting.
"""

import os

for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")
