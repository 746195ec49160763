"""The operators a scoring graph may use: arithmetic on its inputs, nothing random, nothing with side effects.

Loops, branches and random numbers are left out: a graph must take the same bounded time and give the same
result for the same row, whatever else is in the batch. So are operators across rows (uniqueness, compress).
"""

_ARITHMETIC = """
    Abs Add Ceil Clip Cos Div Erf Exp Floor Log Max Mean Min Mul Neg Pow Reciprocal Round Sign Sin Sqrt Sub
    Sum Tan
"""
_COMPARISON = """
    And Equal Greater GreaterOrEqual IsInf IsNaN Less LessOrEqual Not Or Where Xor
"""
_REDUCTION = """
    ArgMax ArgMin CumSum ReduceL1 ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
    ReduceSumSquare TopK
"""
_NETWORK = """
    Conv Elu GRU Gelu Gemm HardSigmoid LSTM LayerNormalization LeakyRelu LogSoftmax MatMul Relu Selu Sigmoid
    Softmax Softplus Swish Tanh
"""
_SHAPE = """
    Cast CastLike Concat Constant ConstantOfShape Expand Flatten Gather GatherElements GatherND Identity Pad
    Range Reshape Shape Size Slice Split Squeeze Tile Transpose Trilu Unsqueeze
"""
_CLASSICAL = """
    ArrayFeatureExtractor Imputer LinearClassifier LinearRegressor Normalizer SVMClassifier SVMRegressor
    Scaler TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor
"""

DOMAINS = {"": "ai.onnx", "ai.onnx": "ai.onnx", "ai.onnx.ml": "ai.onnx.ml"}
ALLOWED: dict[str, frozenset[str]] = {
    "ai.onnx": frozenset((_ARITHMETIC + _COMPARISON + _REDUCTION + _NETWORK + _SHAPE).split()),
    "ai.onnx.ml": frozenset(_CLASSICAL.split()),
}
