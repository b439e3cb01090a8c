mod chunks;
mod file;
mod lookup;
mod read;
mod rows;

use super::{Compression, ParquetPart, PartLabels};
use mimelake_columns::document::Layout;

const LABELS: PartLabels<'_> = PartLabels { table: "receipt", schema: "native" };

fn part(layout: &Layout) -> ParquetPart<Vec<u8>> {
    ParquetPart::new(Vec::new(), layout, LABELS, Compression::default()).unwrap()
}
