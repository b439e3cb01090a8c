//! The rows of native record batches, as events again.
//!
//! ```
//! use bumpalo::Bump;
//! use mimelake_columns::{batch::Batches, document::{Cell, Document}, rows::Rows};
//! use mimelake_schema::{EventType, Field};
//!
//! let document = Document::native(EventType::Receipt, false);
//! let mut row = vec![Cell::Null; document.layout().leaves().len()];
//! row[document.layout().position("subject").unwrap()] = Cell::Text("Invoice");
//! let mut batches = Batches::new(document.layout());
//! batches.push(&row);
//! let batch = batches.finish()?;
//!
//! let rows = Rows::of(EventType::Receipt, &batch)?;
//! assert_eq!(rows.event(0, &Bump::new()).get(Field::Subject), Cell::Text("Invoice"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use arrow::array::{
    Array, AsArray, BooleanArray, Int64Array, ListArray, MapArray, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};
use bumpalo::Bump;
use mimelake_parse::{Event, ExtraPair, Flags, Value, Verdict, Verdicts};
use mimelake_schema::{Dialect, EventType, Field, Kind, VERDICTS};

/// A column that is not of its field's type: the file is not one of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongType {
    /// The column's name.
    pub column: &'static str,
    /// Its type.
    pub found: DataType,
}

impl std::fmt::Display for WrongType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "column {} has the type {}, which mimelake does not write", self.column, self.found)
    }
}

impl std::error::Error for WrongType {}

/// The rows of one batch.
#[derive(Debug)]
pub struct Rows<'b> {
    event_type: EventType,
    columns: Vec<Column<'b>>,
    dialect: Option<&'b StringArray>,
    len: usize,
}

impl<'b> Rows<'b> {
    /// The rows of a batch of this table. Columns that the batch does not have are null.
    ///
    /// # Errors
    /// [`WrongType`] if a column is not of its field's type.
    pub fn of(event_type: EventType, batch: &'b RecordBatch) -> Result<Self, WrongType> {
        let column = |field: &Field| match batch.column_by_name(field.column()) {
            Some(array) => Column::of(*field, array.as_ref()),
            None => Ok(Column::Missing),
        };
        let columns = event_type.columns().iter().map(column).collect::<Result<_, _>>()?;
        let dialect = batch.column_by_name(Field::Dialect.column()).and_then(|a| a.as_string_opt());
        Ok(Self { event_type, columns, dialect, len: batch.num_rows() })
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The event of a row. Its flags are in the column of that name only, and it has no text.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn event<'a>(&'a self, row: usize, bump: &'a Bump) -> Event<'a> {
        assert!(row < self.len, "row {row} of {}", self.len);
        let values = bump.alloc_slice_fill_iter(self.columns.iter().map(|column| column.value(row, bump)));
        let dialect = self.dialect.filter(|names| names.is_valid(row)).map_or("", |names| names.value(row));
        let dialects = [Dialect::Kv, Dialect::Json1, Dialect::Json2];
        Event {
            event_type: self.event_type,
            dialect: dialects.into_iter().find(|d| d.name() == dialect).unwrap_or(Dialect::Kv),
            flags: Flags::default(),
            values,
            text: "",
            offset: 0,
        }
    }
}

/// A column, down to where its values are.
#[derive(Debug)]
enum Column<'b> {
    Missing,
    Text(&'b StringArray),
    Int(&'b Int64Array),
    Bool(&'b BooleanArray),
    Time(&'b TimestampMicrosecondArray),
    List(&'b ListArray, &'b StringArray),
    Verdicts(&'b StructArray, Box<VerdictColumns<'b>>),
    Pairs(&'b MapArray, &'b StringArray, &'b StringArray),
    Struct(&'b StructArray, Vec<Column<'b>>),
    Structs(&'b ListArray, Vec<Column<'b>>),
}

/// The members of a spam scan's verdicts.
#[derive(Debug)]
struct VerdictColumns<'b> {
    each: Vec<(&'b StructArray, &'b BooleanArray, &'b StringArray)>,
    grey_email: &'b BooleanArray,
}

impl<'b> Column<'b> {
    fn of(field: Field, array: &'b dyn Array) -> Result<Self, WrongType> {
        let row = field.row();
        Self::read(row.kind, array)
            .ok_or_else(|| WrongType { column: row.column, found: array.data_type().clone() })
    }

    fn read(kind: Kind, array: &'b dyn Array) -> Option<Self> {
        Some(match kind {
            Kind::Text | Kind::Word | Kind::Json => Self::Text(array.as_string_opt()?),
            Kind::Int => Self::Int(array.as_primitive_opt::<Int64Type>()?),
            Kind::Bool | Kind::Hit => Self::Bool(array.as_boolean_opt()?),
            Kind::Time => Self::Time(array.as_primitive_opt::<TimestampMicrosecondType>()?),
            Kind::Addresses | Kind::FileNames | Kind::Flags | Kind::Words => {
                let lists = array.as_list_opt()?;
                Self::List(lists, lists.values().as_string_opt()?)
            }
            Kind::Verdicts => {
                let verdicts = array.as_struct_opt()?;
                Self::Verdicts(verdicts, Box::new(VerdictColumns::of(verdicts)?))
            }
            Kind::Pairs => {
                let map = array.as_map_opt()?;
                Self::Pairs(map, map.keys().as_string_opt()?, map.values().as_string_opt()?)
            }
            Kind::Struct(fields) => {
                let record = array.as_struct_opt()?;
                Self::Struct(record, members(fields, record)?)
            }
            Kind::Structs(fields) => {
                let lists = array.as_list_opt::<i32>()?;
                Self::Structs(lists, members(fields, lists.values().as_struct_opt()?)?)
            }
        })
    }

    fn value<'a>(&'a self, row: usize, bump: &'a Bump) -> Value<'a> {
        if self.is_null(row) {
            return Value::Null;
        }
        match self {
            Self::Missing => Value::Null,
            Self::Text(texts) => Value::Text(texts.value(row)),
            Self::Int(numbers) => Value::Int(numbers.value(row)),
            Self::Bool(bits) => Value::Bool(bits.value(row)),
            Self::Time(micros) => Value::Time(micros.value(row)),
            Self::List(lists, texts) => Value::List(
                bump.alloc_slice_fill_iter(range(lists.value_offsets(), row).map(|at| texts.value(at))),
            ),
            Self::Verdicts(_, members) => Value::Verdicts(bump.alloc(members.verdicts(row))),
            Self::Pairs(map, keys, values) => {
                let pair = |at| {
                    let value = values.is_valid(at).then(|| values.value(at));
                    ExtraPair { key: keys.value(at), value }
                };
                Value::Pairs(bump.alloc_slice_fill_iter(range(map.value_offsets(), row).map(pair)))
            }
            Self::Struct(_, members) => Value::Struct(record(members, row, bump)),
            Self::Structs(lists, members) => {
                let records = range(lists.value_offsets(), row).map(|at| record(members, at, bump));
                Value::Structs(bump.alloc_slice_fill_iter(records))
            }
        }
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Missing => true,
            Self::Text(array) => array.is_null(row),
            Self::Int(array) => array.is_null(row),
            Self::Bool(array) => array.is_null(row),
            Self::Time(array) => array.is_null(row),
            Self::List(array, _) | Self::Structs(array, _) => array.is_null(row),
            Self::Verdicts(array, _) | Self::Struct(array, _) => array.is_null(row),
            Self::Pairs(array, ..) => array.is_null(row),
        }
    }
}

fn members<'b>(fields: &[Field], records: &'b StructArray) -> Option<Vec<Column<'b>>> {
    let column = |field: &Field| match records.column_by_name(field.column()) {
        Some(array) => Column::read(field.row().kind, array.as_ref()),
        None => Some(Column::Missing),
    };
    fields.iter().map(column).collect()
}

fn record<'a>(members: &'a [Column<'a>], row: usize, bump: &'a Bump) -> &'a [Value<'a>] {
    bump.alloc_slice_fill_iter(members.iter().map(|member| member.value(row, bump)))
}

fn range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    offsets[row] as usize..offsets[row + 1] as usize
}

impl<'b> VerdictColumns<'b> {
    fn of(verdicts: &'b StructArray) -> Option<Self> {
        let each = VERDICTS.iter().map(|(name, _)| {
            let verdict = verdicts.column_by_name(name)?.as_struct_opt()?;
            let (allow, info) = (verdict.column_by_name("allow")?, verdict.column_by_name("info")?);
            Some((verdict, allow.as_boolean_opt()?, info.as_string_opt()?))
        });
        let grey_email = verdicts.column_by_name("grey_email")?.as_boolean_opt()?;
        Some(Self { each: each.collect::<Option<_>>()?, grey_email })
    }

    fn verdicts(&self, row: usize) -> Verdicts<'b> {
        let mut verdicts = Verdicts { grey_email: bit(self.grey_email, row), ..Verdicts::default() };
        for (verdict, (whole, allow, info)) in verdicts.each.iter_mut().zip(&self.each) {
            *verdict = whole.is_valid(row).then(|| Verdict {
                allow: bit(allow, row),
                info: info.is_valid(row).then(|| info.value(row)),
            });
        }
        verdicts
    }
}

fn bit(bits: &BooleanArray, row: usize) -> Option<bool> {
    bits.is_valid(row).then(|| bits.value(row))
}
