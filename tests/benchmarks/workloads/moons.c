/* One training step of a 2-16-16-1 network, vectorised by hand over the samples.
 *
 * mean hinge loss + alpha * sum of squared parameters, one step of gradient descent in place; returns the loss before
 * the step. Parameters lie neuron by neuron: weights, then bias. Samples come in tiles of 8 lanes; the last tile is
 * filled up with samples of label 0, which have no gradient and a hinge loss of 1 that is taken off again.
 *
 * -DTANH takes tanh in place of relu.
 */
#include <math.h>

#define LANES 8
#define WIDTH 16
#define CHUNK 33 /* tiles that are worked on at a time, so that what is between stays in the cache */
typedef double vec __attribute__((vector_size(8 * LANES)));
typedef long long mask __attribute__((vector_size(8 * LANES)));

struct task {
    double *p;       /* 337 parameters */
    const vec *x;    /* 3 rows of tiles: both inputs and ones */
    const vec *y;    /* labels */
    vec *work;       /* 49 rows of CHUNK tiles; row 16, which follows those of h1, must hold ones */
    long tiles, samples;
    double lr, alpha;
};

static inline vec positive(vec v, vec where) { /* v where `where` is positive, else 0 */
    return (vec)((mask)v & (where > (vec){0}));
}

static inline void activate(vec *h) {
#ifdef TANH
    double *x = (double *)h;
    for (int i = 0; i < WIDTH * LANES; i++) x[i] = tanh(x[i]);
#else
    for (int j = 0; j < WIDTH; j++) h[j] = positive(h[j], h[j]);
#endif
}

static inline vec backward(vec upstream, vec h) {
#ifdef TANH
    return upstream * (1.0 - h * h);
#else
    return positive(upstream, h);
#endif
}

static inline double total(vec v) {
    double s = 0;
    for (int l = 0; l < LANES; l++) s += v[l];
    return s;
}

/* g[j][k] += sum over samples of a[j] * b[k], for 4 rows of a and m rows of b. */
static inline __attribute__((always_inline)) void products(
    double *g, int stride, const vec *a, const vec *b, long b_stride, long tiles, const int m) {
    vec sums[4][4] = {{{0}}};
    for (long t = 0; t < tiles; t++)
        for (int j = 0; j < 4; j++)
            for (int k = 0; k < m; k++) sums[j][k] += a[j * CHUNK + t] * b[k * b_stride + t];
    for (int j = 0; j < 4; j++)
        for (int k = 0; k < m; k++) g[j * stride + k] += total(sums[j][k]);
}

double step(const struct task *task) {
    double *p = task->p, *p1 = p, *p2 = p + WIDTH * 3, *p3 = p2 + WIDTH * 17, g[337] = {0};
    vec *h1 = task->work, *d2 = h1 + 17 * CHUNK, *d1 = d2 + WIDTH * CHUNK;
    vec loss = {0}, slope_sums[17] = {{0}};

    for (long start = 0; start < task->tiles; start += CHUNK) {
        const long tiles = task->tiles - start < CHUNK ? task->tiles - start : CHUNK;
        const vec *x = task->x + start, *labels = task->y + start;

        for (long t = 0; t < tiles; t++) {
            vec a[WIDTH], b[WIDTH], c[WIDTH];
            for (int j = 0; j < WIDTH; j++)
                a[j] = p1[3 * j] * x[t] + p1[3 * j + 1] * x[task->tiles + t] + p1[3 * j + 2];
            activate(a);
            for (int j = 0; j < WIDTH; j++) {
                vec s = p2[17 * j + 16] + (vec){0};
                for (int k = 0; k < WIDTH; k++) s += p2[17 * j + k] * a[k];
                b[j] = s;
            }
            activate(b);
            vec score = p3[16] + (vec){0};
            for (int k = 0; k < WIDTH; k++) score += p3[k] * b[k];

            vec y = labels[t], margin = 1.0 - y * score;
            loss += positive(margin, margin);
            vec slope = positive(-y / (double)task->samples, margin);
            for (int k = 0; k < WIDTH; k++) slope_sums[k] += slope * b[k];
            slope_sums[16] += slope;

            for (int j = 0; j < WIDTH; j++) b[j] = backward(p3[j] * slope, b[j]);
            for (int k = 0; k < WIDTH; k++) c[k] = (vec){0};
            for (int j = 0; j < WIDTH; j++)
                for (int k = 0; k < WIDTH; k++) c[k] += p2[17 * j + k] * b[j];
            for (int k = 0; k < WIDTH; k++) {
                h1[k * CHUNK + t] = a[k];
                d2[k * CHUNK + t] = b[k];
                d1[k * CHUNK + t] = backward(c[k], a[k]);
            }
        }

        for (int j = 0; j < WIDTH; j += 4) {
            products(g + 3 * j, 3, d1 + j * CHUNK, x, task->tiles, tiles, 3);
            for (int k = 0; k < WIDTH; k += 4)
                products(g + WIDTH * 3 + 17 * j + k, 17, d2 + j * CHUNK, h1 + k * CHUNK, CHUNK, tiles, 4);
            products(g + WIDTH * 3 + 17 * j + 16, 17, d2 + j * CHUNK, h1 + 16 * CHUNK, CHUNK, tiles, 1);
        }
    }
    for (int k = 0; k < 17; k++) g[WIDTH * 20 + k] = total(slope_sums[k]);

    double squares = 0;
    for (int i = 0; i < 337; i++) {
        squares += p[i] * p[i];
        p[i] -= task->lr * (g[i] + 2 * task->alpha * p[i]);
    }
    return (total(loss) - (double)(task->tiles * LANES - task->samples)) / (double)task->samples +
           task->alpha * squares;
}
