"""DuckDB: python duckdb_peer.py split|regex parquet|ndjson|joined IN OUT"""

import sys

import duckdb
from tables import INTEGER, QUOTED, TABLES, TIMESTAMP

way, task, source, out = sys.argv[1:]
db = duckdb.connect()
db.execute("SET threads = 1; SET preserve_insertion_order = false; SET TimeZone = 'UTC'")


def text(key, kind):
    if way == "split":
        value = f"substr(parts[list_position(keys, '{key}')], {len(key) + 2})"
        value = f"trim({value}, '\\')" if kind == QUOTED or key in ("ReceiptAck", "Hld") else value
        return f"nullif({value}, '')"
    start = "^" if key == "datetime" else r"\|"
    if kind == QUOTED:
        return rf"nullif(regexp_extract(line, '{start}{key}=\\(.*?)\\(?:\|[A-Za-z][A-Za-z0-9_]*=|$)', 1), '')"
    if key in ("ReceiptAck", "Hld"):
        return rf"nullif(regexp_extract(line, '{start}{key}=\\?(.*?)\\?(?:\|[A-Za-z][A-Za-z0-9_]*=|$)', 1), '')"
    return rf"nullif(regexp_extract(line, '{start}{key}=([^|]*)', 1), '')"


def column(key, kind):
    value = text(key, kind)
    if kind == TIMESTAMP:
        value = f"strptime({value}, '%Y-%m-%dT%H:%M:%S%z')"
    elif kind == INTEGER:
        value = f"try_cast({value} AS BIGINT)"
    return f'{value} AS "{key}"'


def table(name):
    lines = f"""FROM read_csv('{source}/{name}_*.siem', columns = {{'line': 'VARCHAR'}}, header = false,
        delim = e'\\x01', quote = '', escape = '', auto_detect = false)"""
    if way == "split":
        # A `|` inside a value cuts it. Of a key seen twice the first counts.
        lines = f"""FROM (SELECT parts, list_transform(parts, lambda part: split_part(part, '=', 1)) AS keys
            FROM (SELECT string_split(line, '|') AS parts {lines}))"""
    return f"SELECT {', '.join(column(*c) for c in TABLES[name])} {lines}"


def records(name):
    """What is kept of each record inside an email: all but the aCode."""
    return f"struct_pack({', '.join(f'{key} := {key}' for key, _ in TABLES[name] if key != 'aCode')})"


def write(query, name, format):
    if format == "parquet":
        options = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1"
    else:
        options = "FORMAT json"
    db.execute(f"COPY ({query}) TO '{out}/{name}.{format}' ({options})")


if task == "joined":
    write(
        f"""WITH r AS (
            SELECT aCode, count(*) AS receipt_count, min(datetime) AS first_seen, any_value(Subject) AS subject,
                any_value(Sender) AS sender, any_value(Dir) AS direction, list({records("receipt")}) AS receipts
            FROM ({table("receipt")}) GROUP BY aCode),
        p AS ({table("process")}),
        d AS (
            SELECT aCode, count(*) AS attempts, max(datetime) AS last_seen,
                count(*) FILTER (Delivered = 'true') AS delivered, list({records("delivery")}) AS deliveries
            FROM ({table("delivery")}) GROUP BY aCode)
        SELECT r.*, p.* EXCLUDE (aCode), d.* EXCLUDE (aCode)
        FROM r LEFT JOIN p USING (aCode) LEFT JOIN d USING (aCode)""",
        "messages",
        "parquet",
    )
else:
    for name in TABLES:
        write(table(name), name, task)
