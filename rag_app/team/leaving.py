"""What app.db knows of a space, forgotten when the space goes.

A space of the same name that is made later is another one, so nothing of the old may be found in it: no member, no
key's leave, no approved answer, and no question that was asked there.
"""

import json
import sqlite3
import time
from dataclasses import dataclass

from rag_app.app_database import AppDatabase

# Lists of names in JSON that may hold the space.
_ASKED_IN = (
    "UPDATE turn SET spaces = (SELECT json_group_array(value) FROM json_each(turn.spaces) WHERE value <> :space)"
    " WHERE EXISTS (SELECT 1 FROM json_each(turn.spaces) WHERE value = :space)"
)
_ANSWERED_FROM = (
    "UPDATE turn SET answer = json_set(answer, '$.spaces', json((SELECT json_group_array(value)"
    " FROM json_each(turn.answer, '$.spaces') WHERE value <> :space)))"
    " WHERE answer IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(turn.answer, '$.spaces') WHERE value = :space)"
)
_CASES_OF_IT = "DELETE FROM inbox_case WHERE json_array_length(spaces) = 1 AND json_extract(spaces, '$[0]') = :space"
_CASES_OF_MORE = (
    "UPDATE inbox_case SET spaces = (SELECT json_group_array(value) FROM json_each(inbox_case.spaces)"
    " WHERE value <> :space) WHERE EXISTS (SELECT 1 FROM json_each(inbox_case.spaces) WHERE value = :space)"
)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What went with a space."""

    members: int
    keys: int  # keys for programs that were limited to this space and others, and are limited to the others now
    revoked: int  # keys that were limited to this space alone
    approved: int  # approved answers, withdrawn ones too


def forget(database: AppDatabase, space: str) -> Forgotten:
    """Forget a space in one transaction. Conversations stay, without the name of the space in them."""
    with database.writing() as connection:
        members = connection.execute("DELETE FROM member WHERE space=?", (space,)).rowcount
        connection.execute("DELETE FROM space WHERE name=?", (space,))
        narrowed, revoked = _limit_keys(connection, space)
        approved = connection.execute("DELETE FROM approved WHERE space=?", (space,)).rowcount
        for statement in (_ASKED_IN, _ANSWERED_FROM, _CASES_OF_IT, _CASES_OF_MORE):
            connection.execute(statement, {"space": space})
    return Forgotten(members, narrowed, revoked, approved)


def _limit_keys(connection: sqlite3.Connection, space: str) -> tuple[int, int]:
    """Take the space out of what keys are limited to; one that would be limited to nothing is revoked."""
    narrowed = revoked = 0
    sql = "SELECT id, spaces FROM api_key WHERE spaces IS NOT NULL AND revoked IS NULL"
    for identifier, text in connection.execute(sql).fetchall():
        held = json.loads(text)
        left = [one for one in held if one != space]
        if left and left != held:
            values = (json.dumps(left, ensure_ascii=False), identifier)
            connection.execute("UPDATE api_key SET spaces=? WHERE id=?", values)
            narrowed += 1
        elif left != held:
            connection.execute("UPDATE api_key SET revoked=? WHERE id=?", (time.time(), identifier))
            revoked += 1
    return narrowed, revoked
