//! The fields that are made of columns, not copied from one.

use mimelake_schema::Field;

use super::attachment::MEMBERS;
use crate::document::{Cell, LeafKind};

/// One row of the table of made fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct PartRow {
    /// Where it stands.
    pub(super) path: &'static str,
    /// What it holds.
    pub(super) kind: LeafKind,
    /// The columns it is made of; a table that has none of them does not have the field.
    /// None named: every table has it.
    pub(super) of: &'static [Field],
}

macro_rules! parts {
    ($( $name:ident $path:literal $kind:expr, of[$($of:ident),*]; )+) => {
        /// A field that is made of columns.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum Part { $( $name, )+ }

        const ROWS: &[PartRow] = &[$(
            PartRow { path: $path, kind: $kind, of: &[$(Field::$of),*] },
        )+];

        impl Part {
            /// Every part, in the order of the table.
            pub(super) const ALL: &[Self] = &[$( Self::$name, )+];
        }
    };
}

impl Part {
    /// The part's row in the table.
    pub(super) const fn row(self) -> &'static PartRow {
        &ROWS[self as usize]
    }
}

parts! {
    Kind "event.kind" LeafKind::Text, of[];
    Category "event.category" LeafKind::TextList, of[];
    Type "event.type" LeafKind::TextList, of[];
    Action "event.action" LeafKind::Text, of[];
    Outcome "event.outcome" LeafKind::Text, of[];
    Id "event.id" LeafKind::Text, of[];
    Reason "event.reason" LeafKind::Text, of[RejectionInfo, HoldReason, Reason, EventInfo];

    MessageId "email.message_id" LeafKind::Text, of[MessageId];
    From "email.from.address" LeafKind::TextList, of[HeaderFrom, Sender];
    SenderAddress "email.sender.address" LeafKind::Text, of[Sender];
    Attachments "email.attachments" LeafKind::Structs(MEMBERS), of[AttachmentNames, FileName];

    SourceIp "source.ip" LeafKind::Text, of[SourceIp];
    SourcePort "source.port" LeafKind::Int, of[SourceIp];
    SourceDomain "source.domain" LeafKind::Text, of[SenderDomain];
    DestinationIp "destination.ip" LeafKind::Text, of[DestinationIp];
    DestinationPort "destination.port" LeafKind::Int, of[DestinationIp];
    ClientIp "client.ip" LeafKind::Text, of[ClientIp];
    ClientPort "client.port" LeafKind::Int, of[ClientIp];

    UrlScheme "url.scheme" LeafKind::Text, of[Url];
    UrlDomain "url.domain" LeafKind::Text, of[Url];
    UrlPort "url.port" LeafKind::Int, of[Url];
    UrlPath "url.path" LeafKind::Text, of[Url];
    UrlQuery "url.query" LeafKind::Text, of[Url];
    UrlFragment "url.fragment" LeafKind::Text, of[Url];

    TlsVersion "tls.version" LeafKind::Text, of[TlsVersion];
    TlsProtocol "tls.version_protocol" LeafKind::Text, of[TlsVersion];

    UserEmail "user.email" LeafKind::Text, of[User];
    UserName "user.name" LeafKind::Text, of[User];

    IndicatorType "threat.indicator.type" LeafKind::Text, of[FileName];

    RelatedUser "related.user" LeafKind::TextList, of[HeaderFrom, Sender, Recipients, User];
    RelatedIp "related.ip" LeafKind::TextList, of[SourceIp, DestinationIp, ClientIp, Url];
    RelatedHash "related.hash" LeafKind::TextList, of[Md5, Sha1, Sha256];
    RelatedHosts "related.hosts" LeafKind::TextList, of[DestinationHost, SenderDomain, Url];

    // What a column says that its ECS field does not take.
    OtherSender "mimecast.sender" LeafKind::Text, of[Sender];
    OtherMessageId "mimecast.message_id" LeafKind::Text, of[MessageId];
    OtherSenderDomain "mimecast.sender_domain" LeafKind::Text, of[SenderDomain];
    OtherSourceIp "mimecast.source_ip" LeafKind::Text, of[SourceIp];
    OtherDestinationIp "mimecast.destination_ip" LeafKind::Text, of[DestinationIp];
    OtherClientIp "mimecast.client_ip" LeafKind::Text, of[ClientIp];
    OtherTlsVersion "mimecast.tls_version" LeafKind::Text, of[TlsVersion];
    OtherSize "mimecast.size" LeafKind::Int, of[Size, ScannedSize];
}

/// Where each part stands in a row; [`Part::ALL`]'s order.
pub(super) type PartPlaces = [u8; Part::ALL.len()];

/// The made fields of one record, written into its row.
#[derive(Debug)]
pub(super) struct Parts<'r, 'a> {
    pub(super) row: &'r mut [Cell<'a>],
    pub(super) places: &'r PartPlaces,
}

impl<'a> Parts<'_, 'a> {
    /// Says it; a part that the layout does not have is not said.
    #[inline]
    pub(super) fn set(&mut self, part: Part, cell: Cell<'a>) {
        if let Some(place) = self.row.get_mut(usize::from(self.places[part as usize])) {
            *place = cell;
        }
    }

    /// Says some text, if there is any.
    #[inline]
    pub(super) fn text(&mut self, part: Part, text: Option<&'a str>) {
        if let Some(text) = text.filter(|t| !t.is_empty()) {
            self.set(part, Cell::Text(text));
        }
    }

    /// Says a number, if there is one.
    #[inline]
    pub(super) fn int(&mut self, part: Part, number: Option<i64>) {
        if let Some(number) = number {
            self.set(part, Cell::Int(number));
        }
    }

    /// Says a list, if something is in it.
    #[inline]
    pub(super) fn list(&mut self, part: Part, list: &'a [&'a str]) {
        if !list.is_empty() {
            self.set(part, Cell::List(list));
        }
    }
}
