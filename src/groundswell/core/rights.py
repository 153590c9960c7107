"""Who may do what: the roles of our own people, and the verbs of each. Rows are another matter: reads.rights says whose."""

from collections.abc import Mapping
from types import MappingProxyType

LEADER, OPERATIONS, MANAGER, SELLER, ADMINISTRATOR = ROLES = (
    "leader",
    "operations",
    "manager",
    "seller",
    "administrator",
)
"""Finance and auditors read as leaders do; whoever looks after data and programme is operations; a manager has a book."""

_DESK = (LEADER, OPERATIONS, MANAGER, ADMINISTRATOR)
_WHOLE = (LEADER, OPERATIONS, ADMINISTRATOR)
VERBS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        verb: frozenset(roles)
        for verb, roles in {
            "see the overview": _DESK,
            "see partners": ROLES,
            "see who people are": _DESK,
            "export partners": _DESK,
            "assign partners": _WHOLE,
            "dispute a figure": (*_DESK, SELLER),
            "answer disputes": (OPERATIONS, ADMINISTRATOR),
            "see data": _WHOLE,
            "take in data": (OPERATIONS, ADMINISTRATOR),
            "assess": (OPERATIONS, ADMINISTRATOR),
            "see people": (ADMINISTRATOR,),
            "invite people": (ADMINISTRATOR,),
            "read the trail": (LEADER, ADMINISTRATOR),
        }.items()
    }
)
"""Each verb with the roles that may do it, at all; a face asks before it shows the way there, an action before it acts."""

SEES_ALL = frozenset(_WHOLE)
"""Roles that see every partner. The others see their book and their territory."""


def may(role: str, verb: str) -> bool:
    """Whether a role may do that. Raises KeyError for a verb that nobody declared."""
    return role in VERBS[verb]
