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


def records(name):
    """What is kept of each record inside an email: all but the aCode."""
    kinds = {TIMESTAMP: "DateTime(\'UTC\')", INTEGER: "Nullable(Int64)"}
    columns = [c for c in TABLES[name] if c[0] != "aCode"]
    types = ", ".join(f'"{key}" {kinds.get(kind, "String")}' for key, kind in columns)
    values = ", ".join(f'"{key}"' for key, _ in columns)
    return f"CAST(tuple({values}) AS Tuple({types}))"


def write(query, name, format):
    end = "parquet" if format == "Parquet" else "ndjson"
    chdb.query(f"""INSERT INTO FUNCTION file('{out}/{name}.{end}', '{format}')
        SETTINGS max_threads = 1, max_insert_threads = 1, max_parsing_threads = 1,
            output_format_parquet_compression_method = 'zstd', output_format_compression_level = 1
        {query}""")


if task == "joined":
    write(
        f"""WITH r AS (
            SELECT "aCode", count() AS receipt_count, min("datetime") AS first_seen, any("Subject") AS subject,
                any("Sender") AS sender, any("Dir") AS direction, groupArray({records("receipt")}) AS receipts
            FROM ({table("receipt")}) GROUP BY "aCode"),
        p AS (SELECT * FROM ({table("process")})),
        d AS (
            SELECT "aCode", count() AS attempts, max("datetime") AS last_seen,
                countIf("Delivered" = 'true') AS delivered, groupArray({records("delivery")}) AS deliveries
            FROM ({table("delivery")}) GROUP BY "aCode")
        SELECT r."aCode" AS "aCode", r.* EXCEPT "aCode", p.* EXCEPT "aCode", d.* EXCEPT "aCode"
        FROM r LEFT JOIN p ON r."aCode" = p."aCode" LEFT JOIN d ON r."aCode" = d."aCode" """,
        "messages",
        "Parquet",
    )
else:
    for name in TABLES:
        write(table(name), name, "Parquet" if task == "parquet" else "JSONEachRow")
