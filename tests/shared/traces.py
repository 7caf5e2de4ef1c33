"""What every trace promises."""

import math

from scalargrad import trace
from scalargrad.engine import topological_order


def check_trace(root):
    """Every op and every edge is a step, the sums are those of backward(), and the phases do not mix."""
    order = topological_order(root)
    kept = [v.grad for v in order]
    steps = trace(root, names=False)
    assert [v.grad for v in order] == kept

    forward = [s for s in steps if s.phase == "forward"]
    assert [s.node for s in forward] == order
    assert [s.data for s in forward] == [v.data for v in order]
    assert all(s.upstream is s.local is s.contribution is s.before is s.after is s.edge is None for s in forward)
    assert not any("grad" in s.text for s in forward)
    assert [s.phase for s in steps] == ["forward"] * len(order) + ["seed"] + ["backward"] * (
        len(steps) - len(order) - 1
    )
    assert [s.index for s in steps] == list(range(len(steps)))

    edges = [(node, i) for node in order for i, (p, _) in enumerate(node.operands) if p is not None and p.requires_grad]
    walked = [(s.source, s.operand) for s in steps if s.phase == "backward"]
    assert sorted(walked, key=lambda e: (order.index(e[0]), e[1])) == edges

    root.zero_grad()
    root.backward()
    totals = {root: 1.0}
    for s in steps:
        if s.phase == "backward":
            assert s.before == totals.get(s.node, 0.0) or s.before != s.before
            totals[s.node] = totals.get(s.node, 0.0) + s.contribution
            assert s.after == totals[s.node] or s.after != s.after
            assert s.node is s.source.operands[s.operand][0]
            assert (
                math.isclose(s.contribution, s.upstream * s.local, rel_tol=1e-12, abs_tol=0.0) or s.contribution == 0.0
            )
            assert s.text
            assert s.why
    for v in order:
        if v.requires_grad:
            assert totals.get(v, 0.0) == v.grad
            assert steps.graph.gradients[v] == v.grad
    return steps
