"""Wrong arguments for fuzzing.py, as texts that Python evaluates with the names of fuzzing_arguments.py."""

WRONG = [
    "None", "True", "'text'", "''", "'x'", "b'bytes'", "bytearray(2)", "object()", "1j", "Decimal('1.5')", "Fraction(1, 3)", "{}",
    "{'a': 1.0}", "{1: None}", "{1.0, 2.0}", "frozenset()", "(i for i in (1.0, 2.0))", "iter([])", "Value", "nn.MLP", "lambda: 1.0",
    "lambda *a, **k: None", "lambda *a, **k: 'text'", "lambda *a, **k: [Value(1.0)] * 3", "lambda x: x.nothing", "lambda x: math.sin(x)", "print",
    "[]", "()", "[[]]", "[[1.0], [1.0, 2.0]]", "[None]", "['a', 'b']", "[[[1.0]]]", "[{}]", "[1.0, 'a']", "[[1.0, 2.0], None]", "endless()", "deep(3000)", "deep(40)",
    "10**400", "-10**400", "10**9", "10**18", "2**63", "-1", "0", "7", "-10**9", "nan", "inf", "-inf", "-0.0", "5e-324", "1e308", "1.5", "[nan, inf]", "[10**400]",
    "Value(2.0)", "Value(nan)", "Value(inf)", "Value(1.0, requires_grad=False)", "graph()", "edited()", "hand_written()", "[graph()]", "[Value(1.0)]", "[[Value(1.0), 1.0]]",
    "mlp()", "mlp", "nn", "sg", "Line()", "nn.Layer(3, 2, seed=1)", "nn.SGD([Value(1.0)])", "nn.mse", "sg.draw(graph(), engine='text')", "Cube",
    "np.float32(1.5)", "np.int8(100)", "np.bool_(True)", "np.float16('nan')", "np.longdouble(1)", "np.complex64(1j)", "np.array([])", "np.zeros((2, 0))", "np.array(['a', 'b'])",
    "np.array([None, 1.0], object)", "np.array([Value(1.0), Value(2.0)])", "np.array(1.0)", "np.array('a')", "np.array([1j])",
    "np.array(['2020-01-01'], 'datetime64[D]')", "np.timedelta64(1)", "np.ma.masked", "np.ma.masked_array([1.0, 2.0], [True, False])",
    "np.zeros(2, [('a', float)])", "np.zeros((2, 2, 2))", "np.array([[1.0, 2.0]], dtype='>f4')", "np.array([b'a'])", "np.arange(4, dtype=np.uint8)", "np.eye(2)[:, ::-1]",
    "...", "NotImplemented", "ValueError('x')", "ValueError", "range(3)", "slice(1)", "memoryview(b'ab')", "types.SimpleNamespace(data=1.0, grad=2.0)",
    "'a' * 100000", "'\\ud800'", "'\\0'", "'none'", "'sum'", "[0.0] * 1000", "zip()", "random", "types.SimpleNamespace(parameters=lambda: [1.0])", "np.random.default_rng(1)",
    "raising('__float__')", "raising('__iter__')", "raising('__len__')", "raising('__index__')", "raising('__array__')", "raising('__getitem__', list, [1.0, 2.0])",
    "raising('__eq__')", "raising('__hash__')", "raising('__bool__')", "raising('__call__')", "raising('__repr__')", "raising('__str__')", "raising('__getattr__')",
    "raising('__iter__', list, [1.0, 2.0])", "raising('__len__', list, [1.0, 2.0])", "raising('__eq__', str, 'mean')", "raising('__hash__', str, 'mse')", "raising('__float__', float, 1.0)",
    "raising('__mul__', float, 1.0)", "raising('__index__', int, 3)", "raising('__lt__', int, 3)", "raising('__getitem__', dict, {'a': 1.0})", "raising('__fspath__')", "raising('__format__', float, 1.5)",
    "lying(len=3)", "lying(len=10**9)", "lying(len=2, iter=iter([]))", "lying(index='a')", "lying(float=1.0)", "lying(float='a')", "lying(iter=3)", "lying(array=None)", "lying(eq=True)",
    "lying(list, [1.0, 2.0], len=5)", "lying(float, 1.5, repr=3)", "lying(bool=2)", "lying(call=lying(len=1))", "lying(index=10**30)", "lying(fspath=3)", "lying(hash=1, eq=True)", "lying(ndim=2)",
    "lying(int, 2, index=7)", "lying(str, 'sgd', eq=True)", "types.SimpleNamespace(ndim=1, shape=(2,))", "types.SimpleNamespace(ndim=0, item=None)", "types.SimpleNamespace(op=3)", "types.SimpleNamespace(tolist=lambda: 3)",
    "types.SimpleNamespace(__name__=3)",
]  # fmt: skip
"""Wrong arguments for nearly anything."""

NESTS = [
    "[{}]",
    "[{}, {}]",
    "({}, 1.0)",
    "[[{}, 1.0], [2.0, {}]]",
    "{{'a': {}}}",
    "lambda *a, **k: {}",
    "[1.0, {}]",
    "({},)",
    "iter([{}])",
    "[[1.0, 2.0], {}]",
]
"""What a wrong argument may lie in."""
