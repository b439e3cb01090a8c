//! Makes the fields that are not copied from one column.

use bumpalo::Bump;
use mimelake_schema::{EventType, Field};

use super::{
    address::address,
    attachment,
    audit::Audit,
    category, id,
    part::{Part, Parts},
    record::Record,
    related::Distinct,
    ruling::Ruling,
    tls,
    url::Url,
};
use crate::document::Cell;

/// Makes the fields of a record.
pub(super) fn fill<'a>(record: &Record<'_, 'a>, seed: u64, parts: &mut Parts<'_, 'a>, bump: &'a Bump) {
    classify(record, parts);
    parts.text(Part::Id, Some(id::event_id(record.event.text, seed, bump)));
    let reasons = [Field::RejectionInfo, Field::HoldReason, Field::Reason, Field::EventInfo];
    parts.text(Part::Reason, reasons.into_iter().find_map(|field| record.text(field)));
    message_id(record, parts);
    tls_version(record, parts);
    files(record, parts, bump);
    people(record, parts, bump);
    network(record, parts, bump);
}

fn classify<'a>(record: &Record<'_, 'a>, parts: &mut Parts<'_, 'a>) {
    let ruling = Ruling::of(record);
    parts.set(Part::Kind, Cell::Text(category::kind(record, ruling)));
    let action = record.text(Field::Action).or_else(|| record.text(Field::AuditType));
    parts.set(Part::Action, Cell::Text(action.unwrap_or_else(|| category::action(record))));
    if record.event.event_type == EventType::Audit {
        let audit = Audit::of(record);
        parts.list(Part::Category, audit.category);
        parts.list(Part::Type, audit.types);
        parts.set(Part::Outcome, Cell::Text(audit.outcome));
    } else {
        let (categories, types) = category::categories(record, ruling);
        parts.list(Part::Category, categories);
        parts.list(Part::Type, types);
        parts.set(Part::Outcome, Cell::Text(ruling.outcome()));
    }
}

fn message_id<'a>(record: &Record<'_, 'a>, parts: &mut Parts<'_, 'a>) {
    let Some(whole) = record.text(Field::MessageId) else { return };
    let bare = whole.trim_ascii();
    let bare = bare.strip_prefix('<').unwrap_or(bare);
    let bare = bare.strip_suffix('>').unwrap_or(bare);
    let part = if bare.is_empty() { Part::OtherMessageId } else { Part::MessageId };
    parts.text(part, Some(if bare.is_empty() { whole } else { bare }));
}

fn tls_version<'a>(record: &Record<'_, 'a>, parts: &mut Parts<'_, 'a>) {
    let Some(text) = record.text(Field::TlsVersion) else { return };
    if let Some((version, protocol)) = tls::version(text) {
        parts.text(Part::TlsVersion, Some(version));
        parts.text(Part::TlsProtocol, Some(protocol));
    } else {
        parts.text(Part::OtherTlsVersion, Some(text));
    }
}

fn files<'a>(record: &Record<'_, 'a>, parts: &mut Parts<'_, 'a>, bump: &'a Bump) {
    let attachments = attachment::attachments(record, bump);
    if !attachments.is_empty() {
        parts.set(Part::Attachments, Cell::Structs(attachments));
    }
    parts.int(Part::OtherSize, attachment::other_size(record));
    if !attachment::names_a_file(record) {
        return;
    }
    parts.text(Part::IndicatorType, Some("file"));
    let mut hashes = Distinct::new(bump);
    for field in [Field::Md5, Field::Sha1, Field::Sha256] {
        hashes.add_some(record.text(field));
    }
    parts.list(Part::RelatedHash, hashes.into_list());
}

/// The null reverse-path of bounces: nobody's address.
const NULL_SENDER: &str = "<>";

fn people<'a>(record: &Record<'_, 'a>, parts: &mut Parts<'_, 'a>, bump: &'a Bump) {
    let person = |field| record.text(field).filter(|text| *text != NULL_SENDER);
    let (header_from, sender, user) = (person(Field::HeaderFrom), person(Field::Sender), person(Field::User));
    parts.text(Part::SenderAddress, sender);
    if sender.is_none() {
        parts.text(Part::OtherSender, record.text(Field::Sender));
    }
    let mut related = Distinct::new(bump);
    let mut from = Distinct::new(bump);
    for address in [header_from, sender] {
        from.add_some(address);
        related.add_some(address);
    }
    parts.list(Part::From, from.into_list());
    for recipient in record.list(Field::Recipients) {
        related.add(recipient);
    }
    related.add_some(user);
    parts.list(Part::RelatedUser, related.into_list());
    let is_address = user.is_some_and(is_address);
    parts.text(if is_address { Part::UserEmail } else { Part::UserName }, user);
}

fn is_address(text: &str) -> bool {
    let has_space = text.contains(char::is_whitespace);
    !has_space && text.rsplit_once('@').is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty())
}

fn network<'a>(record: &Record<'_, 'a>, parts: &mut Parts<'_, 'a>, bump: &'a Bump) {
    let mut ips = Distinct::new(bump);
    let mut hosts = Distinct::new(bump);
    let ends = [
        (Field::SourceIp, Part::SourceIp, Part::SourcePort, Part::OtherSourceIp),
        (Field::DestinationIp, Part::DestinationIp, Part::DestinationPort, Part::OtherDestinationIp),
        (Field::ClientIp, Part::ClientIp, Part::ClientPort, Part::OtherClientIp),
    ];
    for (field, ip_part, port_part, other_part) in ends {
        let Some(text) = record.text(field) else { continue };
        if let Some((ip, port)) = address(text) {
            parts.text(ip_part, Some(ip));
            parts.int(port_part, port.map(i64::from));
            ips.add(ip);
        } else {
            parts.text(other_part, Some(text));
        }
    }
    hosts.add_some(record.text(Field::DestinationHost));
    if let Some(domain) = record.text(Field::SenderDomain) {
        let part = if is_boolean(domain) { Part::OtherSenderDomain } else { Part::SourceDomain };
        parts.text(part, Some(domain));
        hosts.add_some((part == Part::SourceDomain).then_some(domain));
    }
    url(record, parts, &mut ips, &mut hosts, bump);
    parts.list(Part::RelatedIp, ips.into_list());
    parts.list(Part::RelatedHosts, hosts.into_list());
}

/// A boolean in the place of a domain is a mix-up of whoever wrote the record.
fn is_boolean(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

fn url<'a>(
    record: &Record<'_, 'a>,
    parts: &mut Parts<'_, 'a>,
    ips: &mut Distinct<'a>,
    hosts: &mut Distinct<'a>,
    bump: &'a Bump,
) {
    let Some(url) = record.text(Field::Url).and_then(Url::split) else { return };
    let host = lower(url.host, bump);
    parts.text(Part::UrlScheme, Some(lower(url.scheme, bump)));
    parts.text(Part::UrlDomain, Some(host));
    parts.int(Part::UrlPort, url.port.map(i64::from));
    parts.text(Part::UrlPath, Some(url.path));
    parts.text(Part::UrlQuery, Some(url.query));
    parts.text(Part::UrlFragment, Some(url.fragment));
    match address(host.trim_start_matches('[').trim_end_matches(']')) {
        Some((ip, _)) => ips.add(ip),
        None => hosts.add(host),
    }
}

/// The text in lower case; ASCII only, as hosts and schemes are compared.
fn lower<'a>(text: &'a str, bump: &'a Bump) -> &'a str {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        let copy = bump.alloc_str(text);
        copy.make_ascii_lowercase();
        return copy;
    }
    text
}
