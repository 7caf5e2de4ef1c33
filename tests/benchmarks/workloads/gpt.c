/* One training step of a GPT of 4 192 parameters on one document, with Adam in place, written by hand.
 *
 * One layer, 16 wide, 4 heads, 27 tokens, no biases: x = norm(norm(wte + wpe)); attention and an MLP with relu, each
 * with a residual; the logits of each position, and the mean of -log softmax. Loops over positions and units; gcc
 * vectorizes the inner one. Everything fits into the cache.
 */
#include <math.h>
#include <string.h>

enum { WIDTH = 16, HEADS = 4, SIZE = WIDTH / HEADS, TOKENS = 27, HIDDEN = 64, BLOCK = 16, SQUARE = WIDTH * WIDTH };
enum { /* where each matrix begins */
    WTE = 0, WPE = WTE + TOKENS * WIDTH, HEAD = WPE + BLOCK * WIDTH, WQ = HEAD + TOKENS * WIDTH, WK = WQ + SQUARE,
    WV = WK + SQUARE, WO = WV + SQUARE, FC1 = WO + SQUARE, FC2 = FC1 + HIDDEN * WIDTH, COUNT = FC2 + WIDTH * HIDDEN
};
#define INLINED static inline __attribute__((always_inline))

/* y[t] = w x[t]; w has m rows of k */
INLINED void linear(double *restrict y, const double *restrict x, const double *restrict w, int n, int m, int k) {
    for (int t = 0; t < n; t++)
        for (int i = 0; i < m; i++) {
            double s = 0;
            for (int j = 0; j < k; j++) s += w[i * k + j] * x[t * k + j];
            y[t * m + i] = s;
        }
}

/* dx[t] += transposed w dy[t], and g = sum over t of dy[t] x[t] */
INLINED void linear_back(
    double *restrict dx, double *restrict g, const double *restrict dy, const double *restrict x,
    const double *restrict w, int n, int m, int k) {
    for (int t = 0; t < n; t++)
        for (int i = 0; i < m; i++)
            for (int j = 0; j < k; j++) dx[t * k + j] += dy[t * m + i] * w[i * k + j];
    for (int i = 0; i < m; i++) {
        double row[HIDDEN] = {0};
        for (int t = 0; t < n; t++)
            for (int j = 0; j < k; j++) row[j] += dy[t * m + i] * x[t * k + j];
        for (int j = 0; j < k; j++) g[i * k + j] = row[j];
    }
}

/* y = x / sqrt(mean of x^2 + 1e-5), for each position; the factors go to scale */
INLINED void norm(double *restrict y, double *restrict scale, const double *restrict x, int n) {
    for (int t = 0; t < n; t++) {
        double squares = 0;
        for (int j = 0; j < WIDTH; j++) squares += x[t * WIDTH + j] * x[t * WIDTH + j];
        scale[t] = 1 / sqrt(squares / WIDTH + 1e-5);
        for (int j = 0; j < WIDTH; j++) y[t * WIDTH + j] = x[t * WIDTH + j] * scale[t];
    }
}

/* dx += the gradient that dy gives x */
INLINED void norm_back(
    double *restrict dx, const double *restrict dy, const double *restrict x, const double *restrict scale, int n) {
    for (int t = 0; t < n; t++) {
        double along = 0;
        for (int j = 0; j < WIDTH; j++) along += dy[t * WIDTH + j] * x[t * WIDTH + j];
        along *= scale[t] * scale[t] * scale[t] / WIDTH;
        for (int j = 0; j < WIDTH; j++) dx[t * WIDTH + j] += dy[t * WIDTH + j] * scale[t] - x[t * WIDTH + j] * along;
    }
}

INLINED double softmax(double *restrict x, int n) { /* in place; returns the logarithm of the sum */
    double most = x[0], sum = 0;
    for (int i = 1; i < n; i++) most = x[i] > most ? x[i] : most;
    for (int i = 0; i < n; i++) sum += x[i] = exp(x[i] - most);
    for (int i = 0; i < n; i++) x[i] /= sum;
    return log(sum) + most;
}

static double gradient(const double *p, double *g, const long *tokens, const int n) {
    double x0[BLOCK * WIDTH], x1[BLOCK * WIDTH], x2[BLOCK * WIDTH], x3[BLOCK * WIDTH], y[BLOCK * WIDTH], z[BLOCK * WIDTH];
    double q[BLOCK * WIDTH], k[BLOCK * WIDTH], v[BLOCK * WIDTH], heads[BLOCK * WIDTH], h[BLOCK * HIDDEN];
    double s0[BLOCK], s1[BLOCK], s3[BLOCK], shares[HEADS][BLOCK][BLOCK], logits[BLOCK * TOKENS], loss = 0;

    for (int t = 0; t < n; t++)
        for (int j = 0; j < WIDTH; j++) x0[t * WIDTH + j] = p[WTE + tokens[t] * WIDTH + j] + p[WPE + t * WIDTH + j];
    norm(x1, s0, x0, n);
    norm(x2, s1, x1, n);
    linear(q, x2, p + WQ, n, WIDTH, WIDTH);
    linear(k, x2, p + WK, n, WIDTH, WIDTH);
    linear(v, x2, p + WV, n, WIDTH, WIDTH);
    memset(heads, 0, sizeof heads);
    for (int head = 0, at = 0; head < HEADS; head++, at += SIZE)
        for (int t = 0; t < n; t++) {
            double *share = shares[head][t];
            for (int u = 0; u <= t; u++) {
                double s = 0;
                for (int j = at; j < at + SIZE; j++) s += q[t * WIDTH + j] * k[u * WIDTH + j];
                share[u] = s * 0.5; /* 1 / sqrt(SIZE) */
            }
            softmax(share, t + 1);
            for (int u = 0; u <= t; u++)
                for (int j = at; j < at + SIZE; j++) heads[t * WIDTH + j] += share[u] * v[u * WIDTH + j];
        }
    linear(y, heads, p + WO, n, WIDTH, WIDTH);
    for (int i = 0; i < n * WIDTH; i++) y[i] += x1[i];
    norm(x3, s3, y, n);
    linear(h, x3, p + FC1, n, HIDDEN, WIDTH);
    for (int i = 0; i < n * HIDDEN; i++) h[i] = h[i] > 0 ? h[i] : 0;
    linear(z, h, p + FC2, n, WIDTH, HIDDEN);
    for (int i = 0; i < n * WIDTH; i++) z[i] += y[i];
    linear(logits, z, p + HEAD, n, TOKENS, WIDTH);

    for (int t = 0; t < n; t++) { /* the logits become their gradients */
        double *row = logits + t * TOKENS, right = row[tokens[t + 1]];
        loss += softmax(row, TOKENS) - right;
        row[tokens[t + 1]] -= 1;
        for (int i = 0; i < TOKENS; i++) row[i] /= n;
    }
    double dz[BLOCK * WIDTH] = {0}, dh[BLOCK * HIDDEN] = {0}, dx3[BLOCK * WIDTH] = {0}, dheads[BLOCK * WIDTH] = {0};
    double dq[BLOCK * WIDTH] = {0}, dk[BLOCK * WIDTH] = {0}, dv[BLOCK * WIDTH] = {0}, dx2[BLOCK * WIDTH] = {0};
    linear_back(dz, g + HEAD, logits, z, p + HEAD, n, TOKENS, WIDTH);
    linear_back(dh, g + FC2, dz, h, p + FC2, n, WIDTH, HIDDEN);
    for (int i = 0; i < n * HIDDEN; i++) dh[i] = h[i] > 0 ? dh[i] : 0;
    linear_back(dx3, g + FC1, dh, x3, p + FC1, n, HIDDEN, WIDTH);
    norm_back(dz, dx3, y, s3, n); /* dz is that of y from here on */
    linear_back(dheads, g + WO, dz, heads, p + WO, n, WIDTH, WIDTH);
    for (int head = 0, at = 0; head < HEADS; head++, at += SIZE)
        for (int t = 0; t < n; t++) {
            const double *share = shares[head][t];
            double d[BLOCK], mean = 0;
            for (int u = 0; u <= t; u++) {
                double s = 0;
                for (int j = at; j < at + SIZE; j++) {
                    s += dheads[t * WIDTH + j] * v[u * WIDTH + j];
                    dv[u * WIDTH + j] += dheads[t * WIDTH + j] * share[u];
                }
                mean += share[u] * (d[u] = s);
            }
            for (int u = 0; u <= t; u++) {
                double s = share[u] * (d[u] - mean) * 0.5;
                for (int j = at; j < at + SIZE; j++) {
                    dq[t * WIDTH + j] += s * k[u * WIDTH + j];
                    dk[u * WIDTH + j] += s * q[t * WIDTH + j];
                }
            }
        }
    linear_back(dx2, g + WQ, dq, x2, p + WQ, n, WIDTH, WIDTH);
    linear_back(dx2, g + WK, dk, x2, p + WK, n, WIDTH, WIDTH);
    linear_back(dx2, g + WV, dv, x2, p + WV, n, WIDTH, WIDTH);
    norm_back(dz, dx2, x1, s1, n); /* and now that of x1, which the residual took, too */
    double dx0[BLOCK * WIDTH] = {0};
    norm_back(dx0, dz, x0, s0, n);
    memset(g, 0, HEAD * sizeof *g);
    for (int t = 0; t < n; t++)
        for (int j = 0; j < WIDTH; j++) {
            g[WTE + tokens[t] * WIDTH + j] += dx0[t * WIDTH + j];
            g[WPE + t * WIDTH + j] = dx0[t * WIDTH + j];
        }
    return loss / n;
}

/* tokens: the n of a document and the one that follows them. Returns the loss before the step. */
double step(double *restrict p, double *restrict m, double *restrict v, const long *tokens, long n, double rate, long number) {
    double g[COUNT];
    const double loss = gradient(p, g, tokens, (int)n);
    const double m_share = 1 / (1 - pow(0.85, number)), v_share = 1 / (1 - pow(0.99, number));
    for (int i = 0; i < COUNT; i++) {
        m[i] = 0.85 * m[i] + 0.15 * g[i];
        v[i] = 0.99 * v[i] + 0.01 * g[i] * g[i];
        p[i] -= rate * (m[i] * m_share) / (sqrt(v[i] * v_share) + 1e-8);
    }
    return loss;
}
