"""How many people are here."""

from __future__ import annotations

from streamlit import runtime
from streamlit.runtime.stats import ACTIVE_SESSIONS_FAMILY, GaugeStat


def count_visitors() -> int:
    """Browser tabs that are connected; 0 outside of a server."""
    if not runtime.exists():
        return 0
    stats = runtime.get_instance().stats_mgr.get_stats([ACTIVE_SESSIONS_FAMILY])
    gauges = [one for one in stats.get(ACTIVE_SESSIONS_FAMILY, ()) if isinstance(one, GaugeStat)]
    return int(sum(gauge.value for gauge in gauges))
