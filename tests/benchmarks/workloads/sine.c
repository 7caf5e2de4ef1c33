/* One step of the fit of y = a + b * P3(c + d * x), P3(u) = (5 u^3 - 3 u) / 2, to n points: the sum of squared errors,
 * its gradient, one step of gradient descent in place; returns the loss before the step. gcc vectorises the loop. */

struct task {
    double *p;
    const double *x, *y;
    long n;
    double lr;
};

double step(const struct task *task) {
    const double a = task->p[0], b = task->p[1], c = task->p[2], d = task->p[3], *x = task->x, *y = task->y;
    double loss = 0, ga = 0, gb = 0, gc = 0, gd = 0;
    for (long i = 0; i < task->n; i++) {
        double u = c + d * x[i], p3 = 0.5 * u * (5 * u * u - 3), r = a + b * p3 - y[i], s = r * (5 * u * u - 1);
        loss += r * r;
        ga += r;
        gb += r * p3;
        gc += s;
        gd += s * x[i];
    }
    task->p[0] -= task->lr * 2 * ga;
    task->p[1] -= task->lr * 2 * gb;
    task->p[2] -= task->lr * 3 * b * gc;
    task->p[3] -= task->lr * 3 * b * gd;
    return loss;
}
