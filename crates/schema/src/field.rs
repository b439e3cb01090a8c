//! The field table: one row for each column that any table has.

use crate::{Kind, message};

/// One row of the field table.
#[derive(Clone, Copy, Debug)]
pub struct FieldRow {
    /// The column's name.
    pub column: &'static str,
    /// How its value is read, and its type.
    pub kind: Kind,
    /// The keys of API 1.0 (key-value lines and JSON) that carry it.
    pub kv: &'static [&'static str],
    /// The keys of API 2.0 that carry it; API 1.0's are understood there too.
    pub json2: &'static [&'static str],
    /// The ECS fields it is written to; none means `mimecast.<column>`.
    pub ecs: &'static [&'static str],
    /// What it says, in one sentence.
    pub doc: &'static str,
}

macro_rules! fields {
    ($(
        #[doc = $doc:literal]
        $name:ident $column:literal $kind:ident $(($members:ident))?
        kv[$($kv:literal),*] json2[$($json2:literal),*] ecs[$($ecs:literal),*];
    )+) => {
        /// A column, whichever tables have it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Field { $( #[doc = $doc] $name, )+ }

        const ROWS: &[FieldRow] = &[$( FieldRow {
            column: $column,
            kind: Kind::$kind $((message::$members))?,
            kv: &[$($kv),*],
            json2: &[$($json2),*],
            ecs: &[$($ecs),*],
            doc: $doc.trim_ascii(),
        }, )+];

        impl Field {
            /// Every field, in the order of the table.
            pub const ALL: &[Self] = &[$( Self::$name, )+];
        }
    };
}

impl Field {
    /// The field's row in the table.
    pub const fn row(self) -> &'static FieldRow {
        &ROWS[self as usize]
    }

    /// The column's name.
    pub const fn column(self) -> &'static str {
        self.row().column
    }
}

fields! {
    /// When it happened, in UTC.
    Timestamp "timestamp" Time kv["datetime", "eventTime"] json2["timestamp", "eventTime"] ecs["@timestamp"];
    /// The Mimecast account's code.
    Account "account" Text kv["acc"] json2["accountId"] ecs[];
    /// Mimecast's id of the email, the same in all of its stages.
    Acode "acode" Text kv["aCode"] json2["aggregateId"] ecs["email.local_id"];
    /// API 2.0's id of this one event; it joins nothing.
    ProcessingId "processing_id" Text kv[] json2["processingId"] ecs[];
    /// The email's Message-ID header, as logged.
    MessageId "message_id" Text kv["MsgId"] json2["messageId"] ecs["email.message_id"];

    /// What was done with the email or the click.
    Action "action" Text kv["Act", "Action"] json2["action"] ecs["event.action"];
    /// inbound, outbound or internal.
    Direction "direction" Word kv["Dir", "Route"] json2["direction", "route"] ecs["email.direction"];
    /// The address of the server or person the email or the click came from.
    SourceIp "source_ip" Text kv["IP", "SourceIP"] json2["senderIp", "sourceIp"] ecs["source.ip"];
    /// The envelope's sender; `<>` is the null reverse-path of bounces.
    Sender "sender" Text kv["Sender"] json2["senderEnvelope"] ecs["email.sender.address", "email.from.address"];
    /// The address in the From header.
    HeaderFrom "header_from" Text kv["headerFrom"] json2["senderHeader"] ecs["email.from.address"];
    /// The recipients.
    Recipients "recipients" Addresses kv["Rcpt", "Recipient"] json2["recipients", "recipient"] ecs["email.to.address"];
    /// The subject, which Mimecast cuts at 150 characters.
    Subject "subject" Text kv["Subject"] json2["subject"] ecs["email.subject"];
    /// What went wrong at receipt or on this delivery attempt.
    Error "error" Text kv["Error", "Err"] json2["receiptErrors", "deliveryErrors"] ecs["error.message"];
    /// The kind of rejection.
    RejectionType "rejection_type" Text kv["RejType"] json2["rejectionType"] ecs["error.type"];
    /// The SMTP code of the rejection.
    RejectionCode "rejection_code" Text kv["RejCode"] json2["rejectionCode"] ecs["error.code"];
    /// The text of the rejection.
    RejectionInfo "rejection_info" Text kv["RejInfo"] json2["rejectionInfo"] ecs["event.reason"];
    /// The spam score given.
    SpamScore "spam_score" Int kv["SpamScore"] json2["spamScore"] ecs[];
    /// The score from which this sender and recipient count it as spam.
    SpamLimit "spam_limit" Int kv["SpamLimit"] json2["spamLimit"] ecs[];
    /// What the spam scanners said.
    SpamInfo "spam_info" Text kv["SpamInfo"] json2["spamInfo"] ecs[];
    /// The verdicts of the spam scan that are known: SPF, DKIM, DMARC, RBL, permitted and managed sender, grey email.
    SpamDetail "spam_detail" Verdicts kv["SpamProcessingDetail"] json2["spamProcessingDetail"] ecs[];
    /// The whole result of the spam scan.
    SpamDetailJson "spam_detail_json" Json kv["SpamProcessingDetail"] json2["spamProcessingDetail"] ecs[];
    /// How strict the spam scan was that caught it.
    SpamDetectionLevel "spam_detection_level" Text kv["spamDetectionLevel"] json2["spamDetectionLevel"] ecs[];
    /// The virus found.
    Virus "virus" Text kv["Virus"] json2["virusFound"] ecs[];
    /// The TLS version of the connection, as logged.
    TlsVersion "tls_version" Text kv["TlsVer"] json2["tlsVersion"] ecs["tls.version"];
    /// The TLS cipher of the connection.
    TlsCipher "tls_cipher" Text kv["Cphr"] json2["tlsCipher"] ecs["tls.cipher"];
    /// Whether the delivery used TLS.
    TlsUsed "tls_used" Bool kv["UseTls"] json2["tlsUsed"] ecs["tls.established"];

    /// Why the email was held for review.
    HoldReason "hold_reason" Text kv["Hld"] json2["holdReason"] ecs["event.reason"];
    /// The size of the whole email, in bytes.
    MessageSize "message_size" Int kv["MsgSize"] json2["emailSize"] ecs[];
    /// How many attachments the email has.
    AttachmentCount "attachment_count" Int kv["AttCnt", "numberAttachments"] json2["numberAttachments"] ecs[];
    /// The size of all attachments, in bytes.
    AttachmentsSize "attachments_size" Int kv["AttSize"] json2["totalSizeAttachments"] ecs[];
    /// The names of the attachments.
    AttachmentNames "attachment_names" FileNames kv["AttNames"] json2["attachments"] ecs["email.attachments.file.name"];
    /// Impersonation check at processing: the sender has an internal user's name.
    ProcessInternalName "internal_name" Bool kv["IPInternalName"] json2["ipInternalName"] ecs[];
    /// Impersonation check at processing: the sender's domain is new.
    ProcessNewDomain "new_domain" Bool kv["IPNewDomain"] json2["ipNewDomain"] ecs[];
    /// Impersonation check at processing: the reply-to address does not match.
    ProcessReplyMismatch "reply_mismatch" Bool kv["IPReplyMismatch"] json2["ipReplyMismatch"] ecs[];
    /// Impersonation check at processing: the domain is similar to one of the account's.
    ProcessSimilarDomain "similar_domain" Bool kv["IPSimilarDomain"] json2["ipSimilarDomain"] ecs[];
    /// Impersonation check at processing: words of Mimecast's threat dictionary occur.
    ProcessThreatDictionary "threat_dictionary" Bool kv["IPThreadDict"] json2["ipThreadDict"] ecs[];

    /// Whether this attempt delivered the email.
    Delivered "delivered" Bool kv["Delivered"] json2["delivered"] ecs[];
    /// The address of the server it was delivered to.
    DestinationIp "destination_ip" Text kv["IP"] json2["destinationIp"] ecs["destination.ip"];
    /// The name of the server it was delivered to.
    DestinationHost "destination_host" Text kv["Hostname"] json2["hostname"] ecs["destination.domain"];
    /// The name of the delivery route.
    RouteName "route_name" Text kv["Route"] json2["route"] ecs[];
    /// The number of this delivery attempt, from 1.
    Attempt "attempt" Int kv["Attempt"] json2["deliveryAttempts"] ecs[];
    /// How long the delivery took, in milliseconds.
    LatencyMs "latency_ms" Int kv["Latency"] json2["deliveryTime"] ecs[];
    /// How many bytes were delivered.
    BytesSent "bytes_sent" Int kv["Snt"] json2["emailSize"] ecs[];
    /// The receiving server's answer.
    ReceiptAck "receipt_ack" Text kv["ReceiptAck"] json2["receiptAck"] ecs[];

    /// What is done with the recipient of the journal.
    RecipientActionType "recipient_action_type" Text kv["RcptActType"] json2["rcptActType"] ecs[];
    /// The header the recipient stood in.
    RecipientHeaderType "recipient_header_type" Text kv["RcptHdrType"] json2["rcptHdrType"] ecs[];

    /// The sender's domain.
    SenderDomain "sender_domain" Text kv["SenderDomain"] json2["senderDomain"] ecs["source.domain"];
    /// Whether the sender's domain is one of the account's.
    SenderDomainInternal "sender_domain_internal" Bool kv["SenderDomainInternal"] json2["senderDomainInternal"] ecs[];
    /// The file's size, or in API 2.0 the email's, in bytes.
    ScannedSize "size" Int kv["Size"] json2["emailSize"] ecs["email.attachments.file.size"];
    /// The file's size, in bytes.
    Size "size" Int kv["Size"] json2["sizeAttachment"] ecs["email.attachments.file.size"];
    /// The file's name.
    FileName "file_name" Text kv["fileName"] json2["fileName"] ecs["email.attachments.file.name"];
    /// The file's extension.
    FileExtension "file_extension" Text kv["fileExt"] json2["fileExtension"] ecs["email.attachments.file.extension"];
    /// The file's media type.
    FileMime "file_mime" Text kv["fileMime"] json2["fileMime"] ecs["email.attachments.file.mime_type"];
    /// The file's MD5.
    Md5 "md5" Text kv["md5"] json2["md5"] ecs["email.attachments.file.hash.md5"];
    /// The file's SHA-1.
    Sha1 "sha1" Text kv["sha1"] json2["sha1"] ecs["email.attachments.file.hash.sha1"];
    /// The file's SHA-256.
    Sha256 "sha256" Text kv["sha256"] json2["sha256"] ecs["email.attachments.file.hash.sha256"];
    /// Whether the source is one of the account's own addresses.
    CustomerIp "customer_ip" Bool kv["CustomerIP"] json2["customerIp"] ecs[];
    /// Whether the source is one of Mimecast's addresses.
    MimecastIp "mimecast_ip" Bool kv["MimecastIP"] json2["mimecastIp"] ecs[];

    /// The URL clicked or found.
    Url "url" Text kv["URL"] json2["url"] ecs["url.full"];
    /// The URL's category.
    UrlCategory "url_category" Text kv["UrlCategory"] json2["urlCategory"] ecs[];
    /// What the scan of the link found.
    ScanResult "scan_result" Text kv["ScanResultInfo"] json2["scanResults"] ecs[];
    /// The monitored domain the link resembles.
    MonitoredDomainSource "monitored_domain_source" Text kv["monitoredDomainSource"] json2["monitoredDomainSource"] ecs[];
    /// The similar domain found in the link.
    SimilarDomain "similar_domain" Text kv["similarDomain"] json2["similarDomain"] ecs[];
    /// Why the click was blocked.
    Reason "reason" Text kv["reason"] json2["blockReason", "reason"] ecs["event.reason"];
    /// What is said of stolen credentials.
    CredentialTheft "credential_theft" Json kv["credentialTheft"] json2["credentialTheft"] ecs[];
    /// The analysis of the link.
    Analysis "analysis" Json kv["analysis"] json2["analysis"] ecs[];

    /// The policy that matched.
    Definition "definition" Text kv["Definition"] json2["policyDefinition"] ecs["rule.name"];
    /// How many checks matched.
    Hits "hits" Int kv["Hits"] json2["itemsDetected"] ecs[];
    /// The email was tagged as coming from outside.
    TaggedExternal "tagged_external" Hit kv["TaggedExternal"] json2["taggedExternal"] ecs[];
    /// The email was tagged as malicious.
    TaggedMalicious "tagged_malicious" Hit kv["TaggedMalicious"] json2["taggedMalicious"] ecs[];
    /// The sender has an internal user's name.
    InternalName "internal_name" Hit kv["InternalName"] json2["internalUserName", "internalName"] ecs[];
    /// The sender has a name of the account's own list.
    CustomName "custom_name" Hit kv["CustomName"] json2["customNameMatch"] ecs[];
    /// The sender's domain is new.
    NewDomain "new_domain" Hit kv["NewDomain"] json2["newDomain"] ecs[];
    /// The reply-to address does not match the sender's.
    ReplyMismatch "reply_mismatch" Hit kv["ReplyMismatch"] json2["replyMismatch"] ecs[];
    /// The sender's domain is similar to one of the account's.
    SimilarInternalDomain "similar_internal_domain" Hit kv["SimilarInternalDomain"] json2["similarInternalDomain"] ecs[];
    /// The sender's domain is similar to one of the account's own list.
    SimilarCustomExternalDomain "similar_custom_external_domain" Hit kv["SimilarCustomExternalDomain"] json2["similarCustomExternalDomain"] ecs[];
    /// The sender's domain is similar to one of Mimecast's list.
    SimilarMimecastExternalDomain "similar_mimecast_external_domain" Hit kv["SimilarMimecastExternalDomain"] json2["similarMimecastExternalDomain"] ecs[];
    /// Words of Mimecast's threat dictionary occur.
    ThreatDictionary "threat_dictionary" Hit kv["ThreatDictionary"] json2["mimecastThreatDictionary"] ecs[];
    /// Words of the account's own threat dictionary occur.
    CustomThreatDictionary "custom_threat_dictionary" Hit kv["CustomThreatDictionary"] json2["customThreatDictionary"] ecs[];

    /// The audit event's id.
    AuditId "audit_id" Text kv["id"] json2["id"] ecs[];
    /// What was done.
    AuditType "audit_type" Text kv["auditType"] json2["auditType"] ecs["event.action"];
    /// Who did it.
    User "user" Text kv["user"] json2["user"] ecs["user.email"];
    /// The category of the audit event.
    Category "category" Text kv["category"] json2["category"] ecs[];
    /// The audit event in words.
    EventInfo "event_info" Text kv["eventInfo"] json2["eventInfo"] ecs["event.reason"];
    /// The address it was done from, where the words name one.
    ClientIp "client_ip" Text kv[] json2[] ecs["client.ip"];
    /// The application it was done with, where the words name one.
    Application "application" Text kv[] json2[] ecs[];
    /// How the user signed in, where the words say so.
    Method "method" Text kv[] json2[] ecs[];

    /// When the first record of the email was written, in UTC.
    FirstSeen "first_seen" Time kv[] json2[] ecs["@timestamp", "event.start"];
    /// When the last record of the email was written, in UTC.
    LastSeen "last_seen" Time kv[] json2[] ecs["event.end"];
    /// What became of the email: delivered, `partially_delivered`, deferred, bounced, rejected, held, dropped or `in_progress`.
    Status "status" Word kv[] json2[] ecs[];
    /// Whether every stage that the status needs was seen.
    Complete "complete" Bool kv[] json2[] ecs[];
    /// Which of receipt, process and delivery were seen.
    Stages "stages" Words kv[] json2[] ecs[];
    /// How many delivery attempts were made.
    Attempts "attempts" Int kv[] json2[] ecs[];
    /// When the first recipient had it, in UTC.
    FirstDelivered "first_delivered" Time kv[] json2[] ecs["email.delivery_timestamp"];
    /// From the first receipt to the last successful delivery, in milliseconds.
    EndToEndMs "end_to_end_ms" Int kv[] json2[] ecs[];
    /// The receipt records, in order of time.
    Receipts "receipts" Structs(RECEIPT) kv[] json2[] ecs[];
    /// The last process record.
    Process "process" Struct(PROCESS) kv[] json2[] ecs[];
    /// The process records before the last, in order of time.
    EarlierProcesses "earlier_processes" Structs(PROCESS) kv[] json2[] ecs[];
    /// The delivery records, in order of time.
    Deliveries "deliveries" Structs(DELIVERY) kv[] json2[] ecs[];
    /// What the scanners found, and the clicks on links, in order of time.
    Detections "detections" Structs(DETECTION) kv[] json2[] ecs[];
    /// The recipient that a record inside a message speaks of.
    Recipient "recipient" Text kv[] json2[] ecs[];
    /// The event type of a record inside a message.
    DetectedBy "event_type" Text kv[] json2[] ecs[];
    /// What a scanner said: the virus, the reason of the block, the result of the scan.
    Verdict "verdict" Text kv[] json2[] ecs[];
    /// `message_id` where a record inside a message was joined by it; else it was joined by the aCode.
    JoinedBy "joined_by" Text kv[] json2[] ecs[];

    /// What the record was written in: kv, json1 or json2.
    Dialect "dialect" Text kv[] json2[] ecs[];
    /// The file the record was read from; a zip's member stands behind `!`.
    SourceFile "source_file" Text kv[] json2[] ecs[];
    /// Where the record begins in that file, in bytes after inflating.
    SourceOffset "source_offset" Int kv[] json2[] ecs[];
    /// What reading the record raised, for example `duplicate_key`.
    Flags "flags" Flags kv[] json2[] ecs[];
    /// All pairs that no column took, in their order.
    Extra "extra" Pairs kv[] json2[] ecs[];
    /// The record as it was, where `--original` asks for it.
    Original "original" Text kv[] json2[] ecs["event.original"];
}
