"""The keys of the three logs: what every peer makes columns of, under the names of the log."""

TIMESTAMP, TEXT, QUOTED, INTEGER = "timestamp", "text", "quoted", "integer"

# A list of (key, kind) for each table. QUOTED is a text that logs put between backslashes.
TABLES = {
    "receipt": [
        ("datetime", TIMESTAMP), ("aCode", TEXT), ("acc", TEXT), ("SpamLimit", INTEGER), ("IP", TEXT),
        ("RejType", QUOTED), ("Error", QUOTED), ("RejCode", INTEGER), ("Dir", TEXT), ("MsgId", TEXT),
        ("Subject", QUOTED), ("headerFrom", TEXT), ("Sender", TEXT), ("Rcpt", TEXT), ("SpamInfo", TEXT),
        ("Act", TEXT), ("RejInfo", QUOTED), ("TlsVer", TEXT), ("Cphr", TEXT),
        ("SpamProcessingDetail", TEXT), ("SpamScore", INTEGER),
    ],
    "process": [
        ("datetime", TIMESTAMP), ("aCode", TEXT), ("acc", TEXT), ("Hld", TEXT), ("AttSize", INTEGER),
        ("Act", TEXT), ("IPNewDomain", TEXT), ("IPReplyMismatch", TEXT), ("AttCnt", INTEGER),
        ("IPInternalName", TEXT), ("AttNames", QUOTED), ("MsgSize", INTEGER), ("MsgId", TEXT),
        ("IPThreadDict", TEXT), ("IPSimilarDomain", TEXT),
    ],
    "delivery": [
        ("datetime", TIMESTAMP), ("aCode", TEXT), ("acc", TEXT), ("Delivered", TEXT), ("IP", TEXT),
        ("Err", QUOTED), ("RejType", QUOTED), ("RejCode", INTEGER), ("RejInfo", QUOTED), ("AttCnt", INTEGER),
        ("Dir", TEXT), ("ReceiptAck", TEXT), ("MsgId", TEXT), ("Subject", QUOTED), ("Latency", INTEGER),
        ("Sender", TEXT), ("Rcpt", TEXT), ("AttSize", INTEGER), ("Attempt", INTEGER), ("TlsVer", TEXT),
        ("Cphr", TEXT), ("Snt", INTEGER), ("UseTls", TEXT), ("Route", QUOTED),
    ],
}
