//! What a Mimecast log can say: the field table and the log-type table.
