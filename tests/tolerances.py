"""The one table of tolerances, each with its reason. A test that needs a slack takes it from here by name."""

# fit
FLOAT64 = 1e-9  # relative: sums of some thousand float64 terms in another order
BOUND_ROUNDING = (
    1e-9  # a row: by so much of its terms a bound is lowered, so that float64 never makes it false
)
CONJUGATE = 1e-12  # g, its inverse, G and G* in float64 on values of order 1 to 10, a few operations each
GAP = 0.01  # certified gap of a convex fit: the project promises 1 %
REFERENCE_SOLVER = 1e-6  # relative: how near to the optimum scipy's L-BFGS comes on piecewise quadratics
LINEAR_PROGRAM = 1e-6  # relative: HiGHS' own feasibility tolerance is 1e-7
NORMAL_EQUATIONS = 1e-7  # relative: one Cholesky solve against one eigendecomposition, both float64
BIAS = 1e-6  # absolute, of order 1: scipy's scalar minimiser stops at the root of the machine precision
GAIN = 1e-8  # relative: the equality is kept by projection in float64
BRUTE_FORCE_FACTOR = 1.6  # rounded / best excess, mean of layers: nearest-plane rounding reaches 1.57
TRUE_LOSS_FACTOR = 2.0  # the same in the true loss, for every single layer
PLAIN_ROUNDING_SHARE = 1 / 3  # error feedback at 4 bits against plain rounding: the project's own target
REFERENCE_MACHINE = 30.0  # CPU seconds, 784 x 128 layer of 3200 rows; measured 6, shared runners are slower
FLOOR_SLOPE = 2e-4  # loss of perfect weights: silent samples lie on the floor slope, 1e-4 of the usual
PRUNING_FACTOR = (
    1.05  # error of the quick selection over the proven least one, mean of layers: the project's target
)
PRUNING_SECONDS = 1.0  # CPU, the proof at 20 nodes: the project's own target; measured 0.01 to 0.4
USEFUL_BOUND = (
    0.02  # share of the error: what the bound of pruning without a search reaches on 100 to 200 nodes
)
MESH_FACTOR = 1.02  # hops over the fewest, mean of random packets between six cores; measured 1.00
BEAM_FACTOR = 1.10  # cost of a beam's codes over the proven best, mean of a layer: the project's own target
FAN_IN_FACTOR = 1.25  # excess of backward selection over the best choice of inputs, mean of layers: near it
FIRST_ORDER = 1e-4  # relative: the project promises it between HiGHS and the batched solver
SIGNS_FACTOR = (
    1.02  # loss of the signs that a search finds over the proven best, mean of layers; measured 1.00
)
DECODING_SECONDS = 0.2  # CPU an output at 32 inputs: the project's own target; measured 0.0001 to 0.01

# networks
STORED_EPSILON = 1e-9  # relative: an ONNX file keeps the epsilon of a batch normalisation as a float32

# flows
SLOPE_BY_DIFFERENCE = 0.05  # relative: slopes at mean currents against a loss of whole counts, in a long run
SMALL_CONVERSION = 0.15  # NMSE of a random network of few neurons at 32 ticks on loihi1; measured below 0.05

# analog neurons
ELEMENTARY = 1e-15  # relative: exp and log are a few roundings from the truth
NORMAL_NUMBER = 1e-9  # absolute: the bound that the contract gives for a normal number
EXACT_INTEGRATION = 1e-9  # relative to a state's largest value: 10^4 steps, another matrix exponential
ONE_STEP = 1e-12  # relative: one step from the same state, another exp
NEAR_THRESHOLD = 1e-12  # a state closer to its threshold may fire in one integrator and not in the other
NIR_COUNTS = (
    0.05  # mean difference in spikes of leaky neurons over 40 ticks, of the mean count: 8-bit weights
)
NIR_WEIGHT = 1 / 250  # of the largest weight: half a step of a signed 8-bit code, two LSB wide
LARGE_NETWORK_SECONDS = 60.0  # CPU, to explain and place 200,000 weights: the project's own target
LARGE_NETWORK_BYTES = 2 << 30  # of memory, the same network: the project's own target
LARGE_NETWORK_FILE = 20e6  # bytes of its program: the project's own target; measured 11 million
