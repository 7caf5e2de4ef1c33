/* The plain case of the engine in C: the same nodes, the same order, the same sums as engine.py, to the bit.

   What is here was first written in Python, and the Python is what one reads: table/calling.py makes nodes, engine.py
   sorts and sweeps. Plain is: exact Values and floats, finite numbers, no mode in use, no hooks, rows of ops.py. For
   everything else each function here calls the Python function that stands beside it, with the same arguments, before
   it has changed anything. So messages, modes and errors are Python's own. Values and derivatives are in rules.h,
   written from the op table by tests/shared/rules_in_c.py. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <structmember.h>

#ifdef Py_GIL_DISABLED
#error "written for one thread at a time: without a GIL the engine in Python runs"
#endif

/* ---------------------------------------------------------------- what setup() is told of the package */

static PyTypeObject *Value;
static Py_ssize_t at_x, at_y, at_a, at_b, at_data, at_kept, at_grad, at_rule;
static PyObject *mode, *plain_mode, *modes_were_used, *standing_watches;
static PyObject *zero, *just_one; /* 0.0 and (1.0,) */

#define SLOT(node, offset) (*(PyObject **)((char *)(node) + (offset)))
#define NUMBER(object) PyFloat_AS_DOUBLE(object)
#define IS_FINITE(x) ((x) - (x) == 0.0)
#ifdef __GNUC__ /* what lies anywhere in memory is asked for before its turn comes */
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define PREFETCH(address) ((void)0)
#endif

/* A row of the op table. Its functions are in rules.h; they are called with finite numbers only, and what they answer
   holds if it is finite, too. `chosen` is what is 0 where the op has not chosen an operand, as in table/row.py. */
typedef double Of2(double x, double y);
typedef double Of3(double x, double y, double z);
typedef struct {
  const char *name;
  int operands; /* 1, 2, or 0 for any number */
  int asks_python; /* whether its derivatives do, in_python() */
  Of2 *value;   /* NULL: Python computes it */
  Of3 *partial[2], *chosen[2];
} Row;

static double in_python(int row, double x, double y); /* the row's `value`; NaN if it raises */
#include "rules.h"
#ifndef SOURCE
#define SOURCE "" /* the digest of this code, by which a module that is older is told: see building.py */
#endif

#define ROWS ((int)(sizeof rows / sizeof *rows))
static PyObject *ops[sizeof rows / sizeof *rows]; /* the op of each row */

/* What floats raise at poles, or nothing; whatever else a rule raises, as for Ctrl-C, is not for Python to meet again. */
static int is_hard(void) {
  return !PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_ArithmeticError) || PyErr_ExceptionMatches(PyExc_ValueError);
}

static double in_python(int row, double x, double y) {
  if (PyErr_Occurred()) return NAN;
  PyObject *found = PyObject_CallMethod(ops[row], "value", rows[row].operands == 1 ? "d" : "dd", x, y);
  double z = found && PyFloat_CheckExact(found) ? NUMBER(found) : NAN;
  Py_XDECREF(found);
  if (is_hard()) PyErr_Clear();
  return z;
}

/* Which row a node's rule is: 0 to ROWS - 1, or one of these. By the rule's address, in a table with open places. */
enum { LEAF = -1, CONSTANT = -2, UNKNOWN = -3, PLACES = 512 };
static struct { PyObject *rule; int row; } known[PLACES];

static int place_of(PyObject *rule) {
  int i = (int)(((uintptr_t)rule >> 4) * 0x9E3779B97F4A7C15ull >> 40 & (PLACES - 1));
  while (known[i].rule && known[i].rule != rule) i = (i + 1) & (PLACES - 1);
  return i;
}
static int row_of(PyObject *rule) { return known[place_of(rule)].rule ? known[place_of(rule)].row : UNKNOWN; }
static void know(PyObject *rule, int row) {
  int i = place_of(rule);
  if (!known[i].rule) known[i].rule = Py_NewRef(rule);
  known[i].row = row;
}

/* Whether no mode is in use here: neither no_grad nor anything else that contexts.py or a recording sets. */
static int is_plain(void) {
  if (PyList_GET_SIZE(modes_were_used) == 0) return 1;
  PyObject *now;
  if (PyContextVar_Get(mode, NULL, &now) < 0) return PyErr_Clear(), 0;
  Py_XDECREF(now); /* the context holds it */
  return now == plain_mode;
}

/* The number of a Value, borrowed, if it is a finite float; else NULL, and Python's number_in asks. What was assigned to
   a leaf's data, as by an optimizer, is taken note of; of a computed node it is Python's business. */
static inline PyObject *number_in(PyObject *node) {
  PyObject *data = SLOT(node, at_data), *kept = SLOT(node, at_kept);
  if (!data || !kept || !PyFloat_CheckExact(data) || !IS_FINITE(NUMBER(data))) return NULL;
  if (kept == data || (PyTuple_CheckExact(kept) && PyTuple_GET_ITEM(kept, 1) == data)) return data;
  if (SLOT(node, at_a) != Py_None) return NULL;
  SLOT(node, at_kept) = Py_NewRef(data);
  Py_DECREF(kept);
  return data;
}

/* ---------------------------------------------------------------- making nodes */

/* An op's function, its operator or its reflected operator: what it does beyond the plain case, `python` does. */
typedef struct {
  PyObject_HEAD vectorcallfunc call;
  PyObject *python, *op, *dict, *weak;
  PyObject *extra; /* the second operand where it is left out, or NULL; of a bound dot, its vector */
  int row;
} Function;

static PyObject *hand_over(Function *f, PyObject *const *args, size_t n, PyObject *names) {
  return PyObject_Vectorcall(f->python, args, n, names);
}

/* A node over parents x, y that held a, b; all are borrowed, and NULL stands for None. `data` is taken over.

   It holds nothing but its parents, which are older, so that no cycle can close through it: Python's collector need not
   know it. At 100 000 nodes the collector takes two fifths of the time. What can close one, as a graph of gradients, a
   hook, a hand-written rule or an attribute of a subclass, ends that: see `track`. So does a gradient that is a Value,
   as somebody's own sweep assigns it: grad is a plain slot, so that it is seen when its node is an operand. */
static int cycles_can_close = 0; /* 1: by `track`; 2: such a gradient was seen */

static PyObject *node_over(PyObject *op, PyObject *x, PyObject *y, PyObject *a, PyObject *b, PyObject *data) {
  if (!data) return NULL;
  PyObject *node = PyObject_GC_New(PyObject, Value);
  if (!node) return Py_DECREF(data), NULL;
  SLOT(node, Value->tp_weaklistoffset) = NULL;
  SLOT(node, at_x) = Py_NewRef(x ? x : Py_None);
  SLOT(node, at_y) = Py_NewRef(y ? y : Py_None);
  SLOT(node, at_a) = Py_NewRef(a ? a : Py_None);
  SLOT(node, at_b) = Py_NewRef(b ? b : Py_None);
  SLOT(node, at_data) = data;
  SLOT(node, at_kept) = Py_NewRef(data);
  SLOT(node, at_grad) = Py_NewRef(zero);
  SLOT(node, at_rule) = Py_NewRef(op);
  if (cycles_can_close) PyObject_GC_Track(node);
  return node;
}

/* An operand as its parent, NULL for a plain number, and that number as a new reference; 0 if it is not plain. */
static inline int operand(PyObject *given, PyObject **parent, PyObject **number) {
  *parent = *number = NULL;
  if (Py_TYPE(given) == Value) {
    *number = Py_XNewRef(number_in(*parent = given));
    if (SLOT(given, at_grad) != zero && SLOT(given, at_grad) && Py_TYPE(SLOT(given, at_grad)) == Value) cycles_can_close |= 2;
  } else if (PyFloat_CheckExact(given)) {
    *number = IS_FINITE(NUMBER(given)) ? Py_NewRef(given) : NULL;
  } else if (PyLong_CheckExact(given)) {
    int overflow;
    long long whole = PyLong_AsLongLongAndOverflow(given, &overflow);
    *number = !overflow && -(1LL << 53) <= whole && whole <= 1LL << 53 ? PyFloat_FromDouble((double)whole) : NULL;
  }
  return *number != NULL;
}

/* Whether a float holds just these bits, as relu's operand does its result: then one float serves both. */
static inline int same(double z, PyObject *a) { return z == NUMBER(a) && signbit(z) == signbit(NUMBER(a)); }

/* The node over x and y, or the number if neither is a Value; y is NULL if the op has one operand. NULL without an
   exception if this is not the plain case. */
static PyObject *made(Function *f, PyObject *x, PyObject *y) {
  PyObject *px, *py = NULL, *a, *b = NULL, *node = NULL;
  if (!operand(x, &px, &a)) return NULL;
  if (!y || operand(y, &py, &b)) {
    double z = rows[f->row].value(NUMBER(a), y ? NUMBER(b) : 0.0);
    if (IS_FINITE(z)) {
      if (px || py) node = is_plain() ? node_over(f->op, px, py, a, b, same(z, a) ? Py_NewRef(a) : PyFloat_FromDouble(z)) : NULL;
      else if (a == x && b == y) node = PyFloat_FromDouble(z); /* floats; of other numbers Python knows more */
    }
  }
  Py_DECREF(a);
  Py_XDECREF(b);
  return node;
}

/* An op's function or operator: x, or x and y. */
static PyObject *of_operands(Function *f, PyObject *const *args, size_t nargsf, PyObject *names) {
  Py_ssize_t n = PyVectorcall_NARGS(nargsf), takes = rows[f->row].operands;
  PyObject *second = n == 2 ? args[1] : f->extra, *node = NULL;
  if (!names && (n == takes || (n == 1 && second))) node = made(f, args[0], takes == 2 ? second : NULL);
  return node || PyErr_Occurred() ? node : hand_over(f, args, nargsf, names);
}

/* The operator that Python asks y for: x stands on its left. */
static PyObject *reflected(Function *f, PyObject *const *args, size_t nargsf, PyObject *names) {
  PyObject *node = PyVectorcall_NARGS(nargsf) == 2 && !names ? made(f, args[1], args[0]) : NULL;
  return node || PyErr_Occurred() ? node : hand_over(f, args, nargsf, names);
}

/* The numbers of a tuple of Values, as a new tuple, or as `before` if that holds just them; NULL without an exception if
   one of them is not plain. */
static PyObject *numbers_of(PyObject *nodes, PyObject *before) {
  Py_ssize_t n = PyTuple_GET_SIZE(nodes), same = 0;
  if (before && PyTuple_CheckExact(before) && PyTuple_GET_SIZE(before) == n)
    while (same < n && Py_TYPE(PyTuple_GET_ITEM(nodes, same)) == Value &&
           number_in(PyTuple_GET_ITEM(nodes, same)) == PyTuple_GET_ITEM(before, same))
      same++;
  if (n && same == n) return Py_NewRef(before);
  PyObject *numbers = PyTuple_New(n);
  for (Py_ssize_t i = 0; numbers && i < n; i++) {
    PyObject *node = PyTuple_GET_ITEM(nodes, i), *number = Py_TYPE(node) == Value ? number_in(node) : NULL;
    if (number) PyTuple_SET_ITEM(numbers, i, Py_NewRef(number));
    else Py_CLEAR(numbers);
  }
  if (numbers) PyObject_GC_UnTrack(numbers); /* as the collector does with numbers when it first sees them */
  return numbers;
}

/* The node of the dot product of (*xs, bias), or of xs, with the vector in f->extra: (ys, numbers, numbers and 1). */
static PyObject *bound_node(Function *f, PyObject *xs, int has_bias, PyObject *before) {
  PyObject *ys = PyTuple_GET_ITEM(f->extra, 0), *b = PyTuple_GET_ITEM(f->extra, 1 + has_bias), *node = NULL;
  Py_ssize_t n = PyTuple_GET_SIZE(ys);
  if (!n || PyTuple_GET_SIZE(xs) != n + has_bias || !is_plain()) return NULL;
  PyObject *a = numbers_of(xs, before);
  if (!a) return NULL;
  double total = NUMBER(PyTuple_GET_ITEM(a, has_bias ? n : 0)) * (has_bias ? 1.0 : NUMBER(PyTuple_GET_ITEM(b, 0)));
  for (Py_ssize_t i = !has_bias; i < n; i++) total += NUMBER(PyTuple_GET_ITEM(a, i)) * NUMBER(PyTuple_GET_ITEM(b, i));
  if (IS_FINITE(total)) node = node_over(f->op, xs, ys, a, b, PyFloat_FromDouble(total));
  Py_DECREF(a);
  return node;
}

static PyObject *of_bound(Function *f, PyObject *const *args, size_t nargsf, PyObject *names) {
  Py_ssize_t n = PyVectorcall_NARGS(nargsf);
  PyObject *node = NULL, *bound;
  if ((n == 2 || n == 3) && !names && PyTuple_CheckExact(args[0]) && PyBool_Check(args[1]))
    node = bound_node(f, args[0], args[1] == Py_True, n == 3 ? args[2] : NULL);
  if (node || PyErr_Occurred()) return node;
  if (!(bound = PyObject_CallFunctionObjArgs(f->python, PyTuple_GET_ITEM(f->extra, 0), PyTuple_GET_ITEM(f->extra, 1), NULL))) return NULL;
  node = PyObject_Vectorcall(bound, args, nargsf, names);
  Py_DECREF(bound);
  return node;
}

static PyObject *function(vectorcallfunc call, PyObject *python, PyObject *op, int row, PyObject *extra);

/* bind(ys): what makes the nodes of a layer, all with the same vector. */
static PyObject *bind(Function *f, PyObject *const *args, size_t nargsf, PyObject *names) {
  PyObject *ys = PyVectorcall_NARGS(nargsf) == 1 && !names ? PySequence_Tuple(args[0]) : NULL, *bound = NULL;
  PyObject *numbers = ys ? numbers_of(ys, NULL) : NULL, *and_one = numbers ? PySequence_Concat(numbers, just_one) : NULL;
  PyObject *extra = and_one ? PyTuple_Pack(3, ys, numbers, and_one) : NULL;
  if (extra) bound = function((vectorcallfunc)of_bound, f->python, f->op, f->row, extra);
  else if (!PyErr_Occurred()) bound = hand_over(f, ys ? &ys : args, ys ? 1 : nargsf, names);
  Py_XDECREF(ys), Py_XDECREF(numbers), Py_XDECREF(and_one), Py_XDECREF(extra);
  return bound;
}

/* give_label(node, label) of extras.py, for a node that has neither label nor hooks. The pair is none of the collector's
   business, as the node is: of the time of a network's forward pass that was a tenth. */
static PyObject *label(Function *f, PyObject *const *args, size_t nargsf, PyObject *names) {
  PyObject *node = args[0], *number, *pair;
  if (PyVectorcall_NARGS(nargsf) != 2 || names || Py_TYPE(node) != Value || !PyUnicode_Check(args[1]) ||
      PyUnicode_GET_LENGTH(args[1]) + !PyUnicode_CheckExact(args[1]) == 0 || !(number = SLOT(node, at_kept)) ||
      !PyFloat_CheckExact(number) || SLOT(node, at_a) == Py_None)
    return hand_over(f, args, nargsf, names);
  Py_INCREF(number); /* a tuple may be what the collector runs for, and with it code that names this very node */
  pair = PyTuple_Pack(2, args[1], number);
  Py_DECREF(number);
  if (!pair) return NULL;
  if (!cycles_can_close) PyObject_GC_UnTrack(pair);
  Py_XSETREF(SLOT(node, at_kept), pair);
  Py_RETURN_NONE;
}

/* ---------------------------------------------------------------- the sort */

/* The number of each node of a graph, by where it lies in memory: a page has a cell for every CELL bytes, and no two
   nodes share one. Neighbours in memory are neighbours here: at 10 000 nodes half the time of a hash table. */
enum { PAGE = 18, CELL = 6, CELLS = 1 << (PAGE - CELL), BUCKETS = 9 };
typedef struct Page {
  uintptr_t where;
  struct Page *next;
  int32_t cells[CELLS]; /* 1 + its number; if it is not finished, how many of its parents are, below 0 */
} Page;
typedef struct {
  Page *last, *pages[1 << BUCKETS];
} Places;

static Page *page_of(Places *p, uintptr_t where) {
  Page **page = p->pages + (where * 0x9E3779B97F4A7C15ull >> (64 - BUCKETS));
  while (*page && (*page)->where != where) page = &(*page)->next;
  if (!*page && (*page = PyMem_Calloc(1, sizeof **page))) (*page)->where = where;
  return *page;
}

static inline int32_t *cell(Places *p, PyObject *node) {
  uintptr_t at = (uintptr_t)node, where = at >> PAGE;
  if (!p->last || p->last->where != where) p->last = page_of(p, where);
  return p->last ? p->last->cells + (at >> CELL & (CELLS - 1)) : NULL;
}

static void forget(Places *p) {
  for (int i = 0; i < 1 << BUCKETS; i++)
    for (Page *page = p->pages[i], *next; page; page = next) {
      next = page->next;
      PyMem_Free(page);
    }
}

/* What the sweep needs of a node: its parents' numbers, -1 for none or one that was not chosen, and the derivatives in
   them. Written while the sort has the node at hand: to come back to nodes that lie anywhere in memory took as long as
   all the rest. Of many operands: where the numbers of each side's begin in `operands`, and how many there are. */
typedef struct {
  int32_t parent[2];
  union {
    double local[2];
    struct { Py_ssize_t first, second; } many;
  } of;
} Step;

/* A graph in topological order, parents first. Nodes are held: Python code may run before the order is done with. */
typedef struct {
  PyObject **nodes;
  Step *steps;
  signed char *row;
  int32_t *operands;
  size_t n, node_room, step_room, row_room, used, operand_room;
  int has_hooks, without_steps;
  double *adjoint;
  char *reached;
} Order;

static void let_go(Order *order) {
  for (size_t i = 0; i < order->n; i++) Py_DECREF(order->nodes[i]);
  PyMem_Free(order->nodes), PyMem_Free(order->steps), PyMem_Free(order->row), PyMem_Free(order->operands);
  PyMem_Free(order->adjoint), PyMem_Free(order->reached);
}

static int grow(void *array, size_t size, size_t needed, size_t *room) {
  size_t more = needed > 128 ? 2 * needed : 256;
  void *larger; /* copied, as the caller's pointer has another type */
  memcpy(&larger, array, sizeof larger);
  if (!(larger = PyMem_Realloc(larger, more * size))) return 0;
  memcpy(array, &larger, sizeof larger);
  *room = more;
  return 1;
}

/* Whether the array has room for so many; asked for each node. */
#define grown(array, size, needed, room) ((needed) <= *(room) || grow(array, size, needed, room))

/* Where the numbers of a tuple's operands begin in `operands`, and 1: a cell of its own, as a node has one, so that the
   vectors that all neurons of a layer share, or all samples, are looked through once. Of a network that was half of the
   sort. NULL if the tuple is too short for a cell of its own: then nobody remembers. */
static inline int32_t *block(Places *places, PyObject *side) {
  return PyTuple_CheckExact(side) && PyTuple_GET_SIZE(side) * (1 << 3) >= 1 << CELL ? cell(places, side) : NULL;
}

/* The next parent of a node that is not finished: 1; 0 if all are; -1 if one is not plain. `number` is the node's cell,
   which says where to go on. The parents are those of the first slot, then those of the second, as Value.parents has
   them, but for the bias of a dot product, which comes before the second vector. */
static int unfinished(Places *places, PyObject *node, int32_t *number, PyObject **found) {
  PyObject *x = SLOT(node, at_x), *y = SLOT(node, at_y);
  if (!x || !y) return -1;
  Py_ssize_t first = PyTuple_CheckExact(x) ? PyTuple_GET_SIZE(x) : 1, second = PyTuple_CheckExact(y) ? PyTuple_GET_SIZE(y) : 1;
  if (first + second > INT32_MAX) return -1;
  for (; -*number < first + second; --*number) {
    Py_ssize_t turn = -*number, i = turn < first ? turn : turn - first;
    PyObject *side = turn < first ? x : y, *parent = side;
    if (PyTuple_CheckExact(side)) {
      int32_t *begin = i == 0 ? block(places, side) : NULL;
      if (begin && *begin) {
        *number -= (int32_t)PyTuple_GET_SIZE(side) - 1;
        continue;
      }
      parent = PyTuple_GET_ITEM(side, i);
    }
    if (parent == Py_None) continue;
    int32_t *of_parent = cell(places, parent);
    if (of_parent && *of_parent > 0) continue; /* its memory, far from here, is not looked at */
    if (!of_parent || Py_TYPE(parent) != Value) return -1;
    *found = parent;
    return 1;
  }
  return 0;
}

static int32_t number_of(Places *places, PyObject *parent) { return parent == Py_None ? -1 : *cell(places, parent) - 1; }

/* Where the numbers of a side's operands begin in `operands`; -1 if memory is short. */
static int32_t operands_of(Order *order, Places *places, PyObject *side) {
  int32_t *known = block(places, side), begin = (int32_t)order->used;
  if (known && *known) return *known - 1;
  size_t end = order->used + (size_t)PyTuple_GET_SIZE(side);
  if (end >= INT32_MAX || !grown(&order->operands, sizeof(int32_t), end, &order->operand_room)) return -1;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(side); i++)
    order->operands[order->used++] = number_of(places, PyTuple_GET_ITEM(side, i));
  if (known) *known = 1 + begin;
  return begin;
}

/* The derivatives of a node of one or two operands; 0 if it is not plain. One that is not finite is a pole, where Python
   raises: it counts if the node is reached. */
static int differentiate(PyObject *node, int row, Step *step) {
  PyObject *data = number_in(node), *a = SLOT(node, at_a), *b = SLOT(node, at_b);
  int operands = rows[row].operands;
  if (!data || !a || !PyFloat_CheckExact(a) || (operands == 2 && (!b || !PyFloat_CheckExact(b)))) return 0;
  double x = NUMBER(a), y = operands == 2 ? NUMBER(b) : 0.0, z = NUMBER(data);
  for (int k = 0; k < operands; k++) {
    if (step->parent[k] >= 0) step->of.local[k] = rows[row].partial[k](x, y, z);
    if (rows[row].chosen[k] && rows[row].chosen[k](x, y, z) == 0.0) step->parent[k] = -1;
  }
  return 1;
}

/* Put a node whose parents are finished at the end of the order; 0 if it is not plain, or memory is short. */
static int finish(Order *order, Places *places, PyObject *node, int row) {
  size_t n = order->n;
  if (n >= INT32_MAX - 1 || !grown(&order->nodes, sizeof node, n + 1, &order->node_room) ||
      (!order->without_steps && !grown(&order->steps, sizeof(Step), n + 1, &order->step_room)) || !grown(&order->row, 1, n + 1, &order->row_room))
    return 0;
  PyObject *x = SLOT(node, at_x), *y = SLOT(node, at_y), *extras = SLOT(node, row < 0 ? at_b : at_kept);
  Step step = {{-1, -1}, {{0.0, 0.0}}};
  order->has_hooks |= extras && PyTuple_CheckExact(extras) && PyTuple_GET_SIZE(extras) == 3; /* see node/extras.py */
  if (order->without_steps || row < 0) { /* it has none */
  } else if (rows[row].operands) {
    if (PyTuple_CheckExact(x)) return 0;
    step.parent[0] = number_of(places, x);
    step.parent[1] = number_of(places, y);
    if (!rows[row].asks_python && !differentiate(node, row, &step)) return 0;
  } else {
    if (!PyTuple_CheckExact(x) || (step.parent[0] = operands_of(order, places, x)) < 0) return 0;
    if (PyTuple_CheckExact(y) && (step.parent[1] = operands_of(order, places, y)) < 0) return 0;
    step.of.many.first = PyTuple_GET_SIZE(x);
    step.of.many.second = step.parent[1] < 0 ? 0 : PyTuple_GET_SIZE(y);
  }
  *cell(places, node) = (int32_t)n + 1;
  order->nodes[n] = Py_NewRef(node);
  if (!order->without_steps) order->steps[n] = step;
  order->row[n] = (signed char)row;
  order->n++;
  return 1;
}

/* topological_order(root) of engine.py, in the same order: what is not there yet. 1, or 0 if this is not the plain case.
   The stack holds nothing but nodes: a chain of 10 million, forward and backward, takes 2 GB. */
static int sort(PyObject *root, Order *order, Places *places) {
  PyObject **stack = NULL, *node = root, *next = NULL;
  size_t room = 0, depth = 0;
  while (node) {
    int32_t *number = cell(places, node);
    PyObject *rule = SLOT(node, at_rule);
    int row = rule ? row_of(rule) : UNKNOWN, state = 0;
    if (!number || row == UNKNOWN) break;
    if (*number <= 0 && row >= 0 && (state = unfinished(places, node, number, &next)) < 0) break;
    if (state) {
      if (!grown(&stack, sizeof node, depth + 1, &room)) break;
      stack[depth++] = node;
      node = next;
    } else {
      if (*number <= 0 && !finish(order, places, node, row)) break;
      node = depth ? stack[--depth] : NULL;
    }
  }
  PyMem_Free(stack);
  return !node;
}

/* topological_order(*roots), for exact Values. */
static PyObject *ordered(Function *f, PyObject *const *args, size_t nargsf, PyObject *names) {
  Order order = {.without_steps = 1};
  Places places = {0};
  Py_ssize_t n = PyVectorcall_NARGS(nargsf), sorted = 0;
  while (!names && sorted < n && Py_TYPE(args[sorted]) == Value && sort(args[sorted], &order, &places)) sorted++;
  PyObject *list = sorted == n && !names ? PyList_New((Py_ssize_t)order.n) : NULL;
  for (size_t i = 0; list && i < order.n; i++) PyList_SET_ITEM(list, (Py_ssize_t)i, Py_NewRef(order.nodes[i]));
  forget(&places);
  let_go(&order);
  return list || PyErr_Occurred() ? list : hand_over(f, args, nargsf, names);
}

/* ---------------------------------------------------------------- the sweep */

/* Add a share to an adjoint. What nothing reached passes nothing on, not even 0. */
#define PASS(i, share) (order->adjoint[i] += (share), order->reached[i] = 1)

/* A node of many operands: a dot product here, another by its rule in the table, which Python runs. */
static int pass_to_many(Order *order, size_t i) {
  Step *step = order->steps + i;
  int row = order->row[i];
  double upstream = order->adjoint[i];
  PyObject *node = order->nodes[i], *a = SLOT(node, at_a), *b = SLOT(node, at_b), *locals = NULL;
  const int32_t *xs = order->operands + step->parent[0], *ys = order->operands + step->parent[1];
  Py_ssize_t n = step->of.many.first, pairs = step->of.many.second;
  if (!number_in(node) || !a || !PyTuple_CheckExact(a) || PyTuple_GET_SIZE(a) != n || SLOT(node, at_rule) != ops[row]) return 0;
  if (row == ROW_dot) {
    if (!b || !PyTuple_CheckExact(b) || PyTuple_GET_SIZE(b) < n || pairs > n) return 0;
    for (Py_ssize_t k = 0; k < n; k++) /* the derivative in xs is ys, and 1 in the bias behind them */
      if (!PyFloat_CheckExact(PyTuple_GET_ITEM(a, k)) || !PyFloat_CheckExact(PyTuple_GET_ITEM(b, k))) return 0;
    for (Py_ssize_t k = 0; k < n; k++)
      if (xs[k] >= 0) PASS(xs[k], upstream * NUMBER(PyTuple_GET_ITEM(b, k)));
    for (Py_ssize_t k = 0; k < pairs; k++)
      if (ys[k] >= 0) PASS(ys[k], upstream * NUMBER(PyTuple_GET_ITEM(a, k)));
    return 1;
  }
  PyObject *chooses = PyObject_GetAttrString(ops[row], "is_choice");
  if (chooses) locals = PyObject_CallMethod(ops[row], "partials", "OO", a, SLOT(node, at_data));
  int good = locals && PyList_CheckExact(locals) && PyList_GET_SIZE(locals) == n;
  for (Py_ssize_t k = 0; good && k < n; k++) good = PyFloat_CheckExact(PyList_GET_ITEM(locals, k)) && IS_FINITE(NUMBER(PyList_GET_ITEM(locals, k)));
  for (Py_ssize_t k = 0; good && k < n; k++) {
    double local = NUMBER(PyList_GET_ITEM(locals, k));
    if (xs[k] >= 0 && (local != 0.0 || chooses == Py_False)) PASS(xs[k], upstream * local);
  }
  Py_XDECREF(chooses), Py_XDECREF(locals);
  return good;
}

/* gradients() of engine.py on numbers, for one root. Returns 1, or 0 where this is not the plain case. Signals are looked
   for now and then, and behind the last node: what they raise, whatever it is, comes before the first gradient is
   written, and is nothing for Python to meet again: -1. */
static int sweep(Order *order) {
  for (size_t i = order->n; i--;) {
    if (!(i & 0xffff) && PyErr_CheckSignals() < 0) return -1;
    int row = order->row[i];
    if (row < 0 || !order->reached[i]) continue;
    Step *step = order->steps + i;
    if (!rows[row].operands) {
      if (!pass_to_many(order, i)) return 0;
      continue;
    }
    if (rows[row].asks_python && !differentiate(order->nodes[i], row, step)) return 0;
    for (int k = 0; k < 2; k++) {
      if (step->parent[k] < 0) continue;
      if (!IS_FINITE(step->of.local[k])) return 0;
      PASS(step->parent[k], order->adjoint[i] * step->of.local[k]);
    }
  }
  return 1;
}

/* What a node's grad becomes: what is there, a float or an int as in `p.grad = 0`, plus its adjoint. A constant's stays.
   NULL where Python has to add. */
static PyObject *gradient_plus(PyObject *node, int row, double adjoint) {
  PyObject *grad = SLOT(node, at_grad);
  if (!grad || row == CONSTANT) return Py_XNewRef(grad);
  if (!PyFloat_CheckExact(grad) && !PyLong_CheckExact(grad)) return NULL;
  double before = PyFloat_AsDouble(grad);
  return before == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(before + adjoint);
}

/* Write the gradients, all at once: no Python code runs between the first and the last. Until all are made, each stands
   where its adjoint did. 0 if one cannot be added up. */
static int write_gradients(Order *order) {
  union { double adjoint; PyObject *grad; } *total = (void *)order->adjoint;
  size_t made = 0;
  for (; made < order->n; made++) {
    PREFETCH(&SLOT(order->nodes[made + 8 < order->n ? made + 8 : made], at_grad));
    if (!(total[made].grad = gradient_plus(order->nodes[made], order->row[made], total[made].adjoint))) break;
  }
  int good = made == order->n;
  for (size_t i = 0; i < made; i++) {
    PyObject **grad = &SLOT(order->nodes[i], at_grad), *unused = good ? *grad : total[i].grad;
    PREFETCH(&SLOT(order->nodes[i + 8 < made ? i + 8 : i], at_grad));
    if (good) *grad = total[i].grad;
    Py_DECREF(unused);
  }
  return good;
}

static PyObject *backward(Function *f, PyObject *const *args, size_t nargsf, PyObject *names) {
  Py_ssize_t n = PyVectorcall_NARGS(nargsf);
  double seed = n == 2 && PyFloat_CheckExact(args[1]) ? NUMBER(args[1]) : 1.0;
  int plain = (n == 1 || (n == 2 && PyFloat_CheckExact(args[1]))) && !names && Py_TYPE(args[0]) == Value && is_plain() &&
              number_in(args[0]);
  if (!plain) return hand_over(f, args, nargsf, names);
  Order order = {0};
  Places places = {0};
  plain = sort(args[0], &order, &places) && memchr(order.row, (unsigned char)LEAF, order.n) &&
          !(order.has_hooks && PyList_GET_SIZE(standing_watches)) &&
          (order.adjoint = PyMem_Calloc(order.n, sizeof(double))) && (order.reached = PyMem_Calloc(order.n, 1));
  forget(&places);
  if (plain) {
    order.adjoint[order.n - 1] = 0.0 + seed;
    order.reached[order.n - 1] = 1;
    plain = sweep(&order);
    PyMem_Free(order.steps); /* before gradients take the memory */
    order.steps = NULL;
  }
  int interrupted = plain < 0 || !is_hard();
  if (plain && !interrupted) plain = write_gradients(&order);
  let_go(&order);
  if (interrupted) return NULL;
  if (plain) Py_RETURN_NONE;
  PyErr_Clear();
  return hand_over(f, args, nargsf, names);
}

/* ---------------------------------------------------------------- Function, a type that stands in for Python's */

static PyTypeObject FunctionType;

static PyObject *function(vectorcallfunc call, PyObject *python, PyObject *op, int row, PyObject *extra) {
  Function *f = PyObject_New(Function, &FunctionType);
  if (!f) return NULL;
  f->call = call;
  f->python = Py_NewRef(python);
  f->op = Py_NewRef(op);
  f->extra = Py_XNewRef(extra);
  f->dict = f->weak = NULL;
  f->row = row;
  return (PyObject *)f;
}

static void function_free(Function *f) {
  if (f->weak) PyObject_ClearWeakRefs((PyObject *)f);
  Py_XDECREF(f->python), Py_XDECREF(f->op), Py_XDECREF(f->extra), Py_XDECREF(f->dict);
  PyObject_Free(f);
}
static PyObject *function_repr(Function *f) { return PyObject_Repr(f->python); }
static PyObject *function_get(PyObject *f, PyObject *owner, PyObject *Py_UNUSED(cls)) {
  return owner && owner != Py_None ? PyMethod_New(f, owner) : Py_NewRef(f);
}
static PyObject *function_reduce(PyObject *f, PyObject *Py_UNUSED(none)) { return PyObject_GetAttrString(f, "__qualname__"); }

/* What else a function has, as its __code__, is the Python function's. */
static PyObject *function_attribute(PyObject *f, PyObject *name) {
  PyObject *found = PyObject_GenericGetAttr(f, name);
  if (found || !PyErr_ExceptionMatches(PyExc_AttributeError)) return found;
  PyErr_Clear();
  return PyObject_GetAttr(((Function *)f)->python, name);
}

static PyMethodDef function_methods[] = {{"__reduce__", function_reduce, METH_NOARGS, NULL}, {0}};
static PyGetSetDef function_attributes[] = {{"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL}, {0}};
static PyTypeObject FunctionType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "scalargrad.in_c.Function",
    .tp_doc = "A function of the engine whose plain case runs in C; the Python function beside it does the rest.",
    .tp_basicsize = sizeof(Function),
    .tp_dealloc = (destructor)function_free,
    .tp_vectorcall_offset = offsetof(Function, call),
    .tp_call = PyVectorcall_Call,
    .tp_repr = (reprfunc)function_repr,
    .tp_getattro = function_attribute,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_weaklistoffset = offsetof(Function, weak),
    .tp_dictoffset = offsetof(Function, dict),
    .tp_getset = function_attributes,
    .tp_methods = function_methods,
    .tp_descr_get = function_get,
};

/* ---------------------------------------------------------------- the module */

/* setup(Value, mode, modes_were_used, standing_watches, leaves, constants): the types and objects of the engine. Those of
   a package that was imported before, and taken out of sys.modules, are Python's from now on. */
static PyObject *setup(PyObject *Py_UNUSED(module), PyObject *args) {
  PyObject *cls, *leaves, *constants;
  if (!PyArg_ParseTuple(args, "O!OO!O!O!O!", &PyType_Type, &cls, &mode, &PyList_Type, &modes_were_used, &PyList_Type,
                        &standing_watches, &PyTuple_Type, &leaves, &PyTuple_Type, &constants))
    return NULL;
  struct { const char *name; Py_ssize_t *offset; } slots[] = {
      {"_x", &at_x}, {"_y", &at_y}, {"_a", &at_a}, {"_b", &at_b}, {"_data", &at_data}, {"_kept", &at_kept},
      {"grad", &at_grad}, {"_rule", &at_rule}};
  for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
    PyObject *slot = PyObject_GetAttrString(cls, slots[i].name); /* the class holds it */
    if (!slot || Py_TYPE(slot) != &PyMemberDescr_Type || ((PyTypeObject *)cls)->tp_basicsize < 1 << CELL)
      return PyErr_Format(PyExc_TypeError, "%s is no slot, or two nodes would share a cell", slots[i].name);
    *slots[i].offset = ((PyMemberDescrObject *)slot)->d_member->offset;
    Py_DECREF(slot);
  }
  if (PyContextVar_Get(mode, NULL, &plain_mode) < 0) return NULL;
  Py_INCREF(mode), Py_INCREF(modes_were_used), Py_INCREF(standing_watches);
  Value = (PyTypeObject *)Py_NewRef(cls);
  for (int i = 0; i < PLACES; i++) Py_CLEAR(known[i].rule);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(leaves); i++) know(PyTuple_GET_ITEM(leaves, i), LEAF);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(constants); i++) know(PyTuple_GET_ITEM(constants, i), CONSTANT);
  Py_RETURN_NONE;
}

/* in_c(kind, python, op, extra): a function of this kind with that Python function beside it; None if nothing of it is
   plain. The op, if there is one, is the row of that name, and its nodes are plain from now on. */
static PyObject *in_c(PyObject *Py_UNUSED(module), PyObject *args) {
  static const struct { const char *name; vectorcallfunc call; } kinds[] = {
      {"op", (vectorcallfunc)of_operands}, {"reflected", (vectorcallfunc)reflected}, {"bind", (vectorcallfunc)bind},
      {"backward", (vectorcallfunc)backward}, {"label", (vectorcallfunc)label}, {"order", (vectorcallfunc)ordered}};
  const char *kind;
  PyObject *python, *op, *extra;
  if (!PyArg_ParseTuple(args, "sOOO", &kind, &python, &op, &extra)) return NULL;
  int row = UNKNOWN;
  if (op != Py_None) {
    PyObject *name = PyObject_GetAttrString(op, "name");
    if (!name) return NULL;
    for (int i = 0; i < ROWS; i++)
      if (PyUnicode_CompareWithASCIIString(name, rows[i].name) == 0) row = i;
    Py_DECREF(name);
    if (row == UNKNOWN) Py_RETURN_NONE;
    Py_XSETREF(ops[row], Py_NewRef(op));
    know(op, row);
  }
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (!strcmp(kinds[i].name, kind)) {
      if (i < 2 && !rows[row].value) Py_RETURN_NONE;
      return function(kinds[i].call, python, op, row, extra == Py_None ? NULL : extra);
    }
  return PyErr_Format(PyExc_ValueError, "no kind %s", kind);
}

/* forget(op): a fact of the row was changed, so its nodes are Python's from now on. */
static PyObject *forget_op(PyObject *Py_UNUSED(module), PyObject *op) {
  if (known[place_of(op)].rule) know(op, UNKNOWN);
  Py_RETURN_NONE;
}

/* track(nodes): a cycle may close through these nodes, so that Python's collector has to know them, and all that is made
   from now on. Whether that was so before. */
static PyObject *track(PyObject *Py_UNUSED(module), PyObject *nodes) {
  int before = cycles_can_close & 1;
  cycles_can_close |= 1;
  for (Py_ssize_t i = 0; PyTuple_Check(nodes) && i < PyTuple_GET_SIZE(nodes); i++) {
    PyObject *node = PyTuple_GET_ITEM(nodes, i);
    if (Py_TYPE(node) == Value && !PyObject_GC_IsTracked(node)) PyObject_GC_Track(node);
  }
  return PyBool_FromLong(before);
}

static PyMethodDef methods[] = {
    {"setup", setup, METH_VARARGS, NULL}, {"in_c", in_c, METH_VARARGS, NULL}, {"track", track, METH_O, NULL},
    {"forget", forget_op, METH_O, NULL},  {0}};

static int execute(PyObject *module) {
  if (PyInterpreterState_Get() != PyInterpreterState_Main()) { /* what setup() is told stands in static variables */
    PyErr_SetString(PyExc_ImportError, "in a sub-interpreter the engine in Python runs");
    return -1;
  }
  if (!zero) zero = PyFloat_FromDouble(0.0);
  if (!just_one) just_one = Py_BuildValue("(d)", 1.0);
  if (!zero || !just_one || PyType_Ready(&FunctionType) < 0) return -1;
  return PyModule_AddStringConstant(module, "source", SOURCE);
}

static PyModuleDef_Slot slots_of_module[] = {
    {Py_mod_exec, execute},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_engine", "The plain case of scalargrad's engine.", 0, methods, slots_of_module, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__engine(void) { return PyModuleDef_Init(&definition); }
