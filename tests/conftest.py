"""Its place puts this folder on the import path, so that every suite finds `tolerances`."""
