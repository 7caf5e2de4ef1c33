/* Written by tests/shared/rules_in_c.py from the op table: change ops.py, and run that. */
enum { ROW_add, ROW_subtract, ROW_multiply, ROW_divide, ROW_power, ROW_floor_divide, ROW_remainder, ROW_negative, ROW_absolute, ROW_square, ROW_reciprocal, ROW_sqrt, ROW_cbrt, ROW_exp, ROW_exp2, ROW_expm1, ROW_log, ROW_log2, ROW_log10, ROW_log1p, ROW_sin, ROW_cos, ROW_tan, ROW_arcsin, ROW_arccos, ROW_arctan, ROW_arctan2, ROW_hypot, ROW_sinh, ROW_cosh, ROW_tanh, ROW_arcsinh, ROW_arccosh, ROW_arctanh, ROW_erf, ROW_erfc, ROW_sigmoid, ROW_logsigmoid, ROW_softplus, ROW_relu, ROW_leaky_relu, ROW_elu, ROW_silu, ROW_gelu, ROW_maximum, ROW_minimum, ROW_greater, ROW_sign, ROW_step, ROW_floor, ROW_ceil, ROW_rint, ROW_where, ROW_clip, ROW_take, ROW_sum, ROW_mean, ROW_prod, ROW_dot, ROW_max, ROW_min, ROW_logsumexp };
static inline double add_(double x, double y);
static inline double subtract_(double x, double y);
static inline double multiply_(double x, double y);
static inline double divide_(double x, double y);
static inline double power_(double x, double y);
static inline double floor_divide_(double x, double y);
static inline double remainder_(double x, double y);
static inline double negative_(double x, double y);
static inline double absolute_(double x, double y);
static inline double square_(double x, double y);
static inline double reciprocal_(double x, double y);
static inline double sqrt_(double x, double y);
static inline double cbrt_(double x, double y);
static inline double exp_(double x, double y);
static inline double exp2_(double x, double y);
static inline double expm1_(double x, double y);
static inline double log_(double x, double y);
static inline double log2_(double x, double y);
static inline double log10_(double x, double y);
static inline double log1p_(double x, double y);
static inline double sin_(double x, double y);
static inline double cos_(double x, double y);
static inline double tan_(double x, double y);
static inline double arcsin_(double x, double y);
static inline double arccos_(double x, double y);
static inline double arctan_(double x, double y);
static inline double arctan2_(double x, double y);
static inline double hypot_(double x, double y);
static inline double sinh_(double x, double y);
static inline double cosh_(double x, double y);
static inline double tanh_(double x, double y);
static inline double arcsinh_(double x, double y);
static inline double arccosh_(double x, double y);
static inline double arctanh_(double x, double y);
static inline double erf_(double x, double y);
static inline double erfc_(double x, double y);
static inline double sigmoid_(double x, double y);
static inline double logsigmoid_(double x, double y);
static inline double softplus_(double x, double y);
static inline double relu_(double x, double y);
static inline double leaky_relu_(double x, double y);
static inline double elu_(double x, double y);
static inline double silu_(double x, double y);
static inline double gelu_(double x, double y);
static inline double maximum_(double x, double y);
static inline double minimum_(double x, double y);
static inline double greater_(double x, double y);
static inline double sign_(double x, double y);
static inline double step_(double x, double y);
static inline double floor_(double x, double y);
static inline double ceil_(double x, double y);
static inline double rint_(double x, double y);
static inline double where_(double c, double x, double y) { return c != 0.0 ? x : y; }
static inline double hypot_is_not_0(double x, double y) { return x != 0.0 || y != 0.0; }
static inline double add_(double x, double y) { return x + y; }
static double add_x(double x, double y, double z) { return 1.0; }
static double add_y(double x, double y, double z) { return 1.0; }
static inline double subtract_(double x, double y) { return x - y; }
static double subtract_x(double x, double y, double z) { return 1.0; }
static double subtract_y(double x, double y, double z) { return -1.0; }
static inline double multiply_(double x, double y) { return x * y; }
static double multiply_x(double x, double y, double z) { return y; }
static double multiply_y(double x, double y, double z) { return x; }
static inline double divide_(double x, double y) { return x / y; }
static double divide_x(double x, double y, double z) { double t3 = divide_(1.0, y); return t3; }
static double divide_y(double x, double y, double z) { double t3 = negative_(z, 0.0); double t4 = divide_(t3, y); return t4; }
static inline double power_(double x, double y) { return y == 1.0 ? x : y == 2.0 ? x * x : y == 3.0 ? x * x * x : in_python(ROW_power, x, y); }
static double power_x(double x, double y, double z) { double t3 = hypot_is_not_0(x, y); double t4 = where_(t3, x, 1.0); double t5 = subtract_(y, 1.0); double t6 = power_(t4, t5); double t7 = multiply_(y, t6); return t7; }
static double power_y(double x, double y, double z) { double t3 = where_(x, x, 1.0); double t4 = log_(t3, 0.0); double t5 = multiply_(z, t4); return t5; }
static inline double floor_divide_(double x, double y) { return in_python(ROW_floor_divide, x, y); }
static double floor_divide_x(double x, double y, double z) { return 0.0; }
static double floor_divide_y(double x, double y, double z) { return 0.0; }
static inline double remainder_(double x, double y) { return in_python(ROW_remainder, x, y); }
static double remainder_x(double x, double y, double z) { return 1.0; }
static double remainder_y(double x, double y, double z) { double t3 = floor_divide_(x, y); double t4 = negative_(t3, 0.0); return t4; }
static inline double negative_(double x, double y) { return -x; }
static double negative_x(double x, double y, double z) { return -1.0; }
static inline double absolute_(double x, double y) { return fabs(x); }
static double absolute_x(double x, double y, double z) { double t2 = sign_(x, 0.0); return t2; }
static inline double square_(double x, double y) { double t1 = multiply_(x, x); return t1; }
static double square_x(double x, double y, double z) { double t2 = multiply_(2.0, x); return t2; }
static inline double reciprocal_(double x, double y) { double t1 = divide_(1.0, x); return t1; }
static double reciprocal_x(double x, double y, double z) { double t2 = negative_(z, 0.0); double t3 = multiply_(t2, z); return t3; }
static inline double sqrt_(double x, double y) { return sqrt(x); }
static double sqrt_x(double x, double y, double z) { double t2 = divide_(0.5, z); return t2; }
static inline double cbrt_(double x, double y) { double t1 = greater_(0.0, x); double t2 = absolute_(x, 0.0); double t3 = greater_(INFINITY, t2); double t4 = power_(t2, 0.3333333333333333); double t5 = multiply_(t4, t4); double t6 = where_(t2, t5, 1.0); double t7 = divide_(t2, t6); double t8 = subtract_(t4, t7); double t9 = divide_(t8, 3.0); double t10 = subtract_(t4, t9); double t11 = where_(t3, t10, t2); double t12 = negative_(t11, 0.0); double t13 = where_(t2, t11, x); double t14 = where_(t1, t12, t13); return t14; }
static double cbrt_x(double x, double y, double z) { double t2 = multiply_(3.0, z); double t3 = multiply_(t2, z); double t4 = divide_(1.0, t3); return t4; }
static inline double exp_(double x, double y) { return exp(x); }
static double exp_x(double x, double y, double z) { return z; }
static inline double exp2_(double x, double y) { double t1 = power_(2.0, x); return t1; }
static double exp2_x(double x, double y, double z) { double t2 = multiply_(z, 0.6931471805599453); return t2; }
static inline double expm1_(double x, double y) { return expm1(x); }
static double expm1_x(double x, double y, double z) { double t2 = exp_(x, 0.0); return t2; }
static inline double log_(double x, double y) { return log(x); }
static double log_x(double x, double y, double z) { double t2 = divide_(1.0, x); return t2; }
static inline double log2_(double x, double y) { return log2(x); }
static double log2_x(double x, double y, double z) { double t2 = divide_(1.4426950408889634, x); return t2; }
static inline double log10_(double x, double y) { return log10(x); }
static double log10_x(double x, double y, double z) { double t2 = divide_(0.43429448190325176, x); return t2; }
static inline double log1p_(double x, double y) { return log1p(x); }
static double log1p_x(double x, double y, double z) { double t2 = add_(1.0, x); double t3 = divide_(1.0, t2); return t3; }
static inline double sin_(double x, double y) { return sin(x); }
static double sin_x(double x, double y, double z) { double t2 = cos_(x, 0.0); return t2; }
static inline double cos_(double x, double y) { return cos(x); }
static double cos_x(double x, double y, double z) { double t2 = sin_(x, 0.0); double t3 = negative_(t2, 0.0); return t3; }
static inline double tan_(double x, double y) { return tan(x); }
static double tan_x(double x, double y, double z) { double t2 = multiply_(z, z); double t3 = add_(1.0, t2); return t3; }
static inline double arcsin_(double x, double y) { return asin(x); }
static double arcsin_x(double x, double y, double z) { double t2 = subtract_(1.0, x); double t3 = add_(1.0, x); double t4 = multiply_(t2, t3); double t5 = sqrt_(t4, 0.0); double t6 = divide_(1.0, t5); return t6; }
static inline double arccos_(double x, double y) { return acos(x); }
static double arccos_x(double x, double y, double z) { double t2 = subtract_(1.0, x); double t3 = add_(1.0, x); double t4 = multiply_(t2, t3); double t5 = sqrt_(t4, 0.0); double t6 = divide_(-1.0, t5); return t6; }
static inline double arctan_(double x, double y) { return atan(x); }
static double arctan_x(double x, double y, double z) { double t2 = multiply_(x, x); double t3 = add_(1.0, t2); double t4 = divide_(1.0, t3); return t4; }
static inline double arctan2_(double x, double y) { return atan2(x, y); }
static double arctan2_x(double x, double y, double z) { double t3 = hypot_is_not_0(x, y); double t4 = hypot_(x, y); double t5 = divide_(y, t4); double t6 = hypot_(x, y); double t7 = divide_(t5, t6); double t8 = hypot_(x, y); double t9 = sqrt_(t8, 0.0); double t10 = where_(t3, t7, t9); return t10; }
static double arctan2_y(double x, double y, double z) { double t3 = hypot_is_not_0(x, y); double t4 = negative_(x, 0.0); double t5 = hypot_(x, y); double t6 = divide_(t4, t5); double t7 = hypot_(x, y); double t8 = divide_(t6, t7); double t9 = hypot_(x, y); double t10 = sqrt_(t9, 0.0); double t11 = where_(t3, t8, t10); return t11; }
static inline double hypot_(double x, double y) { return in_python(ROW_hypot, x, y); }
static double hypot_x(double x, double y, double z) { double t3 = divide_(x, z); double t4 = sqrt_(z, 0.0); double t5 = where_(z, t3, t4); return t5; }
static double hypot_y(double x, double y, double z) { double t3 = divide_(y, z); double t4 = sqrt_(z, 0.0); double t5 = where_(z, t3, t4); return t5; }
static inline double sinh_(double x, double y) { return sinh(x); }
static double sinh_x(double x, double y, double z) { double t2 = cosh_(x, 0.0); return t2; }
static inline double cosh_(double x, double y) { return cosh(x); }
static double cosh_x(double x, double y, double z) { double t2 = sinh_(x, 0.0); return t2; }
static inline double tanh_(double x, double y) { return tanh(x); }
static double tanh_x(double x, double y, double z) { double t2 = multiply_(z, z); double t3 = subtract_(1.0, t2); return t3; }
static inline double arcsinh_(double x, double y) { return asinh(x); }
static double arcsinh_x(double x, double y, double z) { double t2 = hypot_(x, 1.0); double t3 = divide_(1.0, t2); return t3; }
static inline double arccosh_(double x, double y) { return acosh(x); }
static double arccosh_x(double x, double y, double z) { double t2 = subtract_(x, 1.0); double t3 = sqrt_(t2, 0.0); double t4 = add_(x, 1.0); double t5 = sqrt_(t4, 0.0); double t6 = multiply_(t3, t5); double t7 = divide_(1.0, t6); return t7; }
static inline double arctanh_(double x, double y) { return atanh(x); }
static double arctanh_x(double x, double y, double z) { double t2 = subtract_(1.0, x); double t3 = add_(1.0, x); double t4 = multiply_(t2, t3); double t5 = divide_(1.0, t4); return t5; }
static inline double erf_(double x, double y) { return in_python(ROW_erf, x, y); }
static double erf_x(double x, double y, double z) { double t2 = negative_(x, 0.0); double t3 = multiply_(t2, x); double t4 = exp_(t3, 0.0); double t5 = multiply_(t4, 1.1283791670955126); return t5; }
static inline double erfc_(double x, double y) { return in_python(ROW_erfc, x, y); }
static double erfc_x(double x, double y, double z) { double t2 = negative_(x, 0.0); double t3 = multiply_(t2, x); double t4 = exp_(t3, 0.0); double t5 = multiply_(t4, -1.1283791670955126); return t5; }
static inline double sigmoid_(double x, double y) { double t1 = greater_(0.0, x); double t2 = absolute_(x, 0.0); double t3 = negative_(t2, 0.0); double t4 = exp_(t3, 0.0); double t5 = add_(1.0, t4); double t6 = divide_(t4, t5); double t7 = add_(1.0, t4); double t8 = divide_(1.0, t7); double t9 = where_(t1, t6, t8); return t9; }
static double sigmoid_x(double x, double y, double z) { double t2 = subtract_(1.0, z); double t3 = multiply_(z, t2); return t3; }
static inline double logsigmoid_(double x, double y) { double t1 = negative_(x, 0.0); double t2 = softplus_(t1, 0.0); double t3 = negative_(t2, 0.0); return t3; }
static double logsigmoid_x(double x, double y, double z) { double t2 = negative_(x, 0.0); double t3 = sigmoid_(t2, 0.0); return t3; }
static inline double softplus_(double x, double y) { double t1 = maximum_(x, 0.0); double t2 = absolute_(x, 0.0); double t3 = negative_(t2, 0.0); double t4 = exp_(t3, 0.0); double t5 = log1p_(t4, 0.0); double t6 = add_(t1, t5); return t6; }
static double softplus_x(double x, double y, double z) { double t2 = sigmoid_(x, 0.0); return t2; }
static inline double relu_(double x, double y) { return x <= 0.0 ? 0.0 : x; }
static double relu_x(double x, double y, double z) { double t2 = step_(x, 0.0); return t2; }
static inline double leaky_relu_(double x, double y) { double t2 = greater_(x, 0.0); double t3 = multiply_(y, x); double t4 = where_(t2, x, t3); return t4; }
static double leaky_relu_x(double x, double y, double z) { double t3 = step_(x, 0.0); double t4 = where_(t3, 1.0, y); return t4; }
static double leaky_relu_y(double x, double y, double z) { double t3 = step_(x, 0.0); double t4 = where_(t3, 0.0, x); return t4; }
static double leaky_relu_chosen_y(double x, double y, double z) { double t3 = step_(x, 0.0); double t4 = subtract_(1.0, t3); return t4; }
static inline double elu_(double x, double y) { double t2 = greater_(x, 0.0); double t3 = expm1_(x, 0.0); double t4 = multiply_(y, t3); double t5 = where_(t2, x, t4); return t5; }
static double elu_x(double x, double y, double z) { double t3 = step_(x, 0.0); double t4 = step_(x, 0.0); double t5 = where_(t4, 0.0, x); double t6 = exp_(t5, 0.0); double t7 = multiply_(y, t6); double t8 = where_(t3, 1.0, t7); return t8; }
static double elu_y(double x, double y, double z) { double t3 = step_(x, 0.0); double t4 = where_(t3, 0.0, x); double t5 = expm1_(t4, 0.0); return t5; }
static double elu_chosen_y(double x, double y, double z) { double t3 = step_(x, 0.0); double t4 = subtract_(1.0, t3); return t4; }
static inline double silu_(double x, double y) { double t1 = greater_(x, -INFINITY); double t2 = sigmoid_(x, 0.0); double t3 = multiply_(x, t2); double t4 = where_(t1, t3, -0.0); return t4; }
static double silu_x(double x, double y, double z) { double t2 = sigmoid_(x, 0.0); double t3 = negative_(x, 0.0); double t4 = sigmoid_(t3, 0.0); double t5 = negative_(x, 0.0); double t6 = sigmoid_(t5, 0.0); double t7 = multiply_(z, t6); double t8 = where_(t4, t7, 0.0); double t9 = add_(t2, t8); return t9; }
static inline double gelu_(double x, double y) { double t1 = greater_(x, -INFINITY); double t2 = multiply_(0.5, x); double t3 = negative_(x, 0.0); double t4 = divide_(t3, 1.4142135623730951); double t5 = erfc_(t4, 0.0); double t6 = multiply_(t2, t5); double t7 = where_(t1, t6, -0.0); return t7; }
static double gelu_x(double x, double y, double z) { double t2 = negative_(x, 0.0); double t3 = divide_(t2, 1.4142135623730951); double t4 = erfc_(t3, 0.0); double t5 = multiply_(0.5, t4); double t6 = multiply_(-0.5, x); double t7 = multiply_(t6, x); double t8 = exp_(t7, 0.0); double t9 = multiply_(-0.5, x); double t10 = multiply_(t9, x); double t11 = exp_(t10, 0.0); double t12 = multiply_(x, t11); double t13 = where_(t8, t12, 0.0); double t14 = divide_(t13, 2.5066282746310002); double t15 = add_(t5, t14); return t15; }
static inline double maximum_(double x, double y) { return x >= y ? x : y; }
static double maximum_x(double x, double y, double z) { double t3 = greater_(x, y); double t4 = add_(1.0, t3); double t5 = greater_(y, x); double t6 = subtract_(t4, t5); double t7 = multiply_(0.5, t6); return t7; }
static double maximum_y(double x, double y, double z) { double t3 = greater_(y, x); double t4 = add_(1.0, t3); double t5 = greater_(x, y); double t6 = subtract_(t4, t5); double t7 = multiply_(0.5, t6); return t7; }
static inline double minimum_(double x, double y) { return x <= y ? x : y; }
static double minimum_x(double x, double y, double z) { double t3 = greater_(y, x); double t4 = add_(1.0, t3); double t5 = greater_(x, y); double t6 = subtract_(t4, t5); double t7 = multiply_(0.5, t6); return t7; }
static double minimum_y(double x, double y, double z) { double t3 = greater_(x, y); double t4 = add_(1.0, t3); double t5 = greater_(y, x); double t6 = subtract_(t4, t5); double t7 = multiply_(0.5, t6); return t7; }
static inline double greater_(double x, double y) { return x > y ? 1.0 : 0.0; }
static double greater_x(double x, double y, double z) { return 0.0; }
static double greater_y(double x, double y, double z) { return 0.0; }
static inline double sign_(double x, double y) { return (double)((x > 0.0) - (x < 0.0)); }
static double sign_x(double x, double y, double z) { return 0.0; }
static inline double step_(double x, double y) { double t1 = greater_(x, 0.0); return t1; }
static double step_x(double x, double y, double z) { return 0.0; }
static inline double floor_(double x, double y) { return copysign(floor(x), x); }
static double floor_x(double x, double y, double z) { return 0.0; }
static inline double ceil_(double x, double y) { return copysign(ceil(x), x); }
static double ceil_x(double x, double y, double z) { return 0.0; }
static inline double rint_(double x, double y) { return copysign(nearbyint(x), x); }
static double rint_x(double x, double y, double z) { return 0.0; }
static const Row rows[] = {
    {"add", 2, 0, add_, {add_x, add_y}, {NULL, NULL}},
    {"subtract", 2, 0, subtract_, {subtract_x, subtract_y}, {NULL, NULL}},
    {"multiply", 2, 0, multiply_, {multiply_x, multiply_y}, {NULL, NULL}},
    {"divide", 2, 0, divide_, {divide_x, divide_y}, {NULL, NULL}},
    {"power", 2, 1, power_, {power_x, power_y}, {NULL, NULL}},
    {"floor_divide", 2, 0, NULL, {floor_divide_x, floor_divide_y}, {floor_divide_x, floor_divide_y}},
    {"remainder", 2, 1, NULL, {remainder_x, remainder_y}, {NULL, NULL}},
    {"negative", 1, 0, negative_, {negative_x}, {NULL}},
    {"absolute", 1, 0, absolute_, {absolute_x}, {NULL}},
    {"square", 1, 0, square_, {square_x}, {NULL}},
    {"reciprocal", 1, 0, reciprocal_, {reciprocal_x}, {NULL}},
    {"sqrt", 1, 0, sqrt_, {sqrt_x}, {NULL}},
    {"cbrt", 1, 0, cbrt_, {cbrt_x}, {NULL}},
    {"exp", 1, 0, exp_, {exp_x}, {NULL}},
    {"exp2", 1, 0, exp2_, {exp2_x}, {NULL}},
    {"expm1", 1, 0, expm1_, {expm1_x}, {NULL}},
    {"log", 1, 0, log_, {log_x}, {NULL}},
    {"log2", 1, 0, log2_, {log2_x}, {NULL}},
    {"log10", 1, 0, log10_, {log10_x}, {NULL}},
    {"log1p", 1, 0, log1p_, {log1p_x}, {NULL}},
    {"sin", 1, 0, sin_, {sin_x}, {NULL}},
    {"cos", 1, 0, cos_, {cos_x}, {NULL}},
    {"tan", 1, 0, tan_, {tan_x}, {NULL}},
    {"arcsin", 1, 0, arcsin_, {arcsin_x}, {NULL}},
    {"arccos", 1, 0, arccos_, {arccos_x}, {NULL}},
    {"arctan", 1, 0, arctan_, {arctan_x}, {NULL}},
    {"arctan2", 2, 1, arctan2_, {arctan2_x, arctan2_y}, {NULL, NULL}},
    {"hypot", 2, 0, NULL, {hypot_x, hypot_y}, {NULL, NULL}},
    {"sinh", 1, 0, sinh_, {sinh_x}, {NULL}},
    {"cosh", 1, 0, cosh_, {cosh_x}, {NULL}},
    {"tanh", 1, 0, tanh_, {tanh_x}, {NULL}},
    {"arcsinh", 1, 1, arcsinh_, {arcsinh_x}, {NULL}},
    {"arccosh", 1, 0, arccosh_, {arccosh_x}, {NULL}},
    {"arctanh", 1, 0, arctanh_, {arctanh_x}, {NULL}},
    {"erf", 1, 0, NULL, {erf_x}, {NULL}},
    {"erfc", 1, 0, NULL, {erfc_x}, {NULL}},
    {"sigmoid", 1, 0, sigmoid_, {sigmoid_x}, {NULL}},
    {"logsigmoid", 1, 0, logsigmoid_, {logsigmoid_x}, {NULL}},
    {"softplus", 1, 0, softplus_, {softplus_x}, {NULL}},
    {"relu", 1, 0, relu_, {relu_x}, {relu_x}},
    {"leaky_relu", 2, 0, leaky_relu_, {leaky_relu_x, leaky_relu_y}, {NULL, leaky_relu_chosen_y}},
    {"elu", 2, 0, elu_, {elu_x, elu_y}, {NULL, elu_chosen_y}},
    {"silu", 1, 0, silu_, {silu_x}, {NULL}},
    {"gelu", 1, 1, gelu_, {gelu_x}, {NULL}},
    {"maximum", 2, 0, maximum_, {maximum_x, maximum_y}, {maximum_x, maximum_y}},
    {"minimum", 2, 0, minimum_, {minimum_x, minimum_y}, {minimum_x, minimum_y}},
    {"greater", 2, 0, greater_, {greater_x, greater_y}, {greater_x, greater_y}},
    {"sign", 1, 0, sign_, {sign_x}, {sign_x}},
    {"step", 1, 0, step_, {step_x}, {step_x}},
    {"floor", 1, 0, floor_, {floor_x}, {floor_x}},
    {"ceil", 1, 0, ceil_, {ceil_x}, {ceil_x}},
    {"rint", 1, 0, rint_, {rint_x}, {rint_x}},
    {"where", 0, 1, NULL, {NULL}, {NULL}},
    {"clip", 0, 1, NULL, {NULL}, {NULL}},
    {"take", 0, 1, NULL, {NULL}, {NULL}},
    {"sum", 0, 1, NULL, {NULL}, {NULL}},
    {"mean", 0, 1, NULL, {NULL}, {NULL}},
    {"prod", 0, 1, NULL, {NULL}, {NULL}},
    {"dot", 0, 1, NULL, {NULL}, {NULL}},
    {"max", 0, 1, NULL, {NULL}, {NULL}},
    {"min", 0, 1, NULL, {NULL}, {NULL}},
    {"logsumexp", 0, 1, NULL, {NULL}, {NULL}},
};
