"""ClickHouse in this process: python chdb_peer.py parquet|ndjson|joined IN OUT"""

import sys

import chdb
from tables import INTEGER, TABLES, TIMESTAMP

task, source, out = sys.argv[1:]


def column(key, kind):
    value = f"pairs['{key}']"
    if kind == TIMESTAMP:
        value = f"parseDateTimeBestEffort({value}, 'UTC')"
    elif kind == INTEGER:
        value = f"toInt64OrNull({value})"
    return f'{value} AS "{key}"'


def table(name):
    columns = ", ".join(column(*c) for c in TABLES[name])
    # extractKeyValuePairs is made for such logs; `\` quotes, and there is no escape.
    return f"""SELECT {columns} FROM (
        SELECT extractKeyValuePairs(line, '=', '|', '\\\\') AS pairs
        FROM file('{source}/{name}_*.siem', 'LineAsString', 'line String'))"""


def write(query, name, format):
    end = "parquet" if format == "Parquet" else "ndjson"
    chdb.query(f"""INSERT INTO FUNCTION file('{out}/{name}.{end}', '{format}')
        SETTINGS max_threads = 1, max_insert_threads = 1, max_parsing_threads = 1,
            output_format_parquet_compression_method = 'zstd', output_format_compression_level = 1
        {query}""")


if task == "joined":
    write(
        f"""WITH r AS (
            SELECT "aCode", min("datetime") AS first_seen, any("Subject") AS subject, any("Sender") AS sender,
                any("Dir") AS direction, groupArray("Rcpt") AS recipients, groupArray("Act") AS actions,
                count() AS receipts
            FROM ({table("receipt")}) GROUP BY "aCode"),
        p AS (SELECT * FROM ({table("process")})),
        d AS (
            SELECT "aCode", max("datetime") AS last_seen, max("Latency") AS latency, count() AS attempts,
                countIf("Delivered" = 'true') AS delivered, groupArray("ReceiptAck") AS answers
            FROM ({table("delivery")}) GROUP BY "aCode")
        SELECT r.*, p."MsgSize", p."AttCnt", p."AttNames", p."Hld", d.last_seen, d.latency, d.attempts, d.delivered, d.answers
        FROM r LEFT JOIN p ON r."aCode" = p."aCode" LEFT JOIN d ON r."aCode" = d."aCode" """,
        "messages",
        "Parquet",
    )
else:
    for name in TABLES:
        write(table(name), name, "Parquet" if task == "parquet" else "JSONEachRow")
