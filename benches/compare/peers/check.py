"""Compares what a program wrote with what the logs say: python check.py mimelake|peer TASK TRUTH OUT

Prints how many records are wrong. The truth is the same records as JSON, from the generator that wrote the logs.
"""

import sys

import duckdb
from tables import INTEGER, TABLES

whose, task, truth, out = sys.argv[1:]
db = duckdb.connect()

# What is compared of each table, what mimelake calls it in its own columns, and in ECS if it stands there as it is.
COMPARED = {
    "receipt": {
        "aCode": ("acode", "email.local_id"),
        "MsgId": ("message_id", "'<' || email.message_id || '>'"),
        "Subject": ("subject", "email.subject"),
        "Sender": ("sender", "email.sender.address"),
        "Rcpt": ("recipients[1]", "email.to.address[1]"),
        "Cphr": ("tls_cipher", "tls.cipher"),
        "Error": ("error", None),
        "RejInfo": ("rejection_info", None),
        "SpamScore": ("spam_score", "mimecast.spam_score"),
    },
    "process": {
        "aCode": ("acode", "email.local_id"),
        "MsgId": ("message_id", "'<' || email.message_id || '>'"),
        "Hld": ("hold_reason", None),
        "AttCnt": ("attachment_count", "mimecast.attachment_count"),
        "AttSize": ("attachments_size", "mimecast.attachments_size"),
        "MsgSize": ("message_size", "mimecast.message_size"),
    },
    "delivery": {
        "aCode": ("acode", "email.local_id"),
        "MsgId": ("message_id", "'<' || email.message_id || '>'"),
        "Subject": ("subject", "email.subject"),
        "Sender": ("sender", "email.sender.address"),
        "Rcpt": ("recipients[1]", "email.to.address[1]"),
        "Err": ("error", None),
        "ReceiptAck": ("receipt_ack", "mimecast.receipt_ack"),
        "Route": ("route_name", "mimecast.route_name"),
        "Latency": ("latency_ms", "mimecast.latency_ms"),
        "Attempt": ("attempt", "mimecast.attempt"),
        "Snt": ("bytes_sent", "mimecast.bytes_sent"),
    },
}


def normal(expression, name, kind):
    """A value that says nothing is null, however it is written."""
    if kind == INTEGER:
        return f'TRY_CAST({expression} AS BIGINT) AS "{name}"'
    return f"""nullif(nullif(CAST({expression} AS VARCHAR), ''), 'null') AS "{name}\""""


def compared(table):
    return [key for key, (_, ecs) in COMPARED[table].items() if ecs or task != "ecs"]


def rows(source, table, expressions):
    kinds = dict(TABLES[table])
    expressions = {key: expressions[key] for key in compared(table)}
    return f"SELECT {', '.join(normal(e, key, kinds[key]) for key, e in expressions.items())} FROM {source}"


def true_rows(table):
    kinds = dict(TABLES[table])
    columns = ", ".join(f"'{k}': '{'BIGINT' if kinds[k] == INTEGER else 'VARCHAR'}'" for k in COMPARED[table])
    source = f"read_json('{truth}/{table}.ndjson', format = 'newline_delimited', columns = {{{columns}}})"
    return rows(source, table, {key: f'"{key}"' for key in COMPARED[table]})


def written(table):
    if whose == "mimelake":
        files = f"{out}/{table}/**/*"
    else:
        files = f"{out}/{table}*"
    if task in ("parquet", "joined"):
        return f"read_parquet('{files}.parquet')"
    return f"read_json('{files}.ndjson', format = 'newline_delimited', sample_size = -1)"


def written_rows(table):
    if whose == "mimelake" or task == "ecs":
        expressions = {key: names[task == "ecs"] for key, names in COMPARED[table].items()}
    else:
        expressions = {key: f'"{key}"' for key in COMPARED[table]}
    return rows(written(table), table, expressions)


def true_messages():
    # Of records that say the same mimelake takes one: an email may have a recipient twice.
    receipts = "count(DISTINCT \"Rcpt\")" if whose == "mimelake" else "count(*)"
    receipt = f"""SELECT "aCode", min("Subject") AS subject, min("Sender") AS sender, {receipts} AS receipts
        FROM ({true_rows("receipt")}) GROUP BY "aCode" """
    process = f"""SELECT "aCode", "MsgSize" FROM ({true_rows("process")})"""
    delivery = f"""SELECT "aCode", count(*) AS attempts FROM ({true_rows("delivery")}) GROUP BY "aCode" """
    return f"""SELECT "aCode", subject, sender, receipts, "MsgSize", coalesce(attempts, 0) AS attempts
        FROM ({receipt}) LEFT JOIN ({process}) USING ("aCode") LEFT JOIN ({delivery}) USING ("aCode")"""


def written_messages():
    if whose == "mimelake":
        return f"""SELECT acode, subject, sender, len(receipts), message_size, coalesce(len(deliveries), 0)
            FROM {written("messages")}"""
    names = '"aCode", nullif(subject, \'\'), sender, receipt_count'
    return f"""SELECT {names}, nullif("MsgSize", 0), coalesce(attempts, 0) FROM {written("messages")}"""


def count(query):
    return db.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0]


total = wrong = surplus = 0
pairs = [(true_messages(), written_messages())] if task == "joined" else [
    (true_rows(table), written_rows(table)) for table in COMPARED
]
for true, found in pairs:
    there = count(true)
    total += there
    wrong += count(f"({true}) EXCEPT ALL ({found})")
    surplus += count(found) - there
lines = f"{surplus:+,} rows, " if surplus else ""
print(f"{lines}{wrong:,} of {total:,}" if wrong or surplus else f"none of {total:,}")
