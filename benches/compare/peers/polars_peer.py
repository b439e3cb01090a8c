"""Polars: python polars_peer.py parquet|ndjson|joined IN OUT"""

import os
import sys

os.environ["POLARS_MAX_THREADS"] = "1"

import polars as pl
from tables import INTEGER, QUOTED, TABLES, TIMESTAMP

task, source, out = sys.argv[1:]

BOUNDARY = r"(?:\|[A-Za-z][A-Za-z0-9_]*=|$)"


def column(key, kind):
    line, start = pl.col("line"), "^" if key == "datetime" else r"\|"
    if kind == QUOTED:
        value = line.str.extract(rf"{start}{key}=\\(.*?)\\{BOUNDARY}")
    elif key in ("ReceiptAck", "Hld"):
        value = line.str.extract(rf"{start}{key}=\\?(.*?)\\?{BOUNDARY}")
    else:
        value = line.str.extract(rf"{start}{key}=([^|]*)")
    if kind == TIMESTAMP:
        value = value.str.to_datetime("%Y-%m-%dT%H:%M:%S%z", time_unit="us")
    elif kind == INTEGER:
        value = value.cast(pl.Int64, strict=False)
    return value.alias(key)


def table(name):
    lines = pl.scan_csv(f"{source}/{name}_*.siem", has_header=False, new_columns=["line"], separator="\x01",
                        quote_char=None, schema_overrides=[pl.String])
    return lines.select(column(*c) for c in TABLES[name])


def records(name):
    """What is kept of each record inside an email: all but the aCode."""
    return pl.struct(key for key, _ in TABLES[name] if key != "aCode")


def write(frame, name, format):
    if format == "parquet":
        frame.sink_parquet(f"{out}/{name}.parquet", compression="zstd", compression_level=1)
    else:
        frame.sink_ndjson(f"{out}/{name}.ndjson")


if task == "joined":
    receipts = table("receipt").group_by("aCode").agg(
        receipt_count=pl.len(), first_seen=pl.col("datetime").min(), subject=pl.col("Subject").first(),
        sender=pl.col("Sender").first(), direction=pl.col("Dir").first(), receipts=records("receipt"))
    deliveries = table("delivery").group_by("aCode").agg(
        attempts=pl.len(), last_seen=pl.col("datetime").max(), delivered=(pl.col("Delivered") == "true").sum(),
        deliveries=records("delivery"))
    joined = receipts.join(table("process"), on="aCode", how="left").join(deliveries, on="aCode", how="left")
    write(joined, "messages", "parquet")
else:
    for name in TABLES:
        write(table(name), name, task)
