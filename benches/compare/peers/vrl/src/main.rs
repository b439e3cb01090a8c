//! `vrl-peer ndjson|ecs IN OUT`: each line of the logs through a VRL program, as a Vector transform does it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use vrl::compiler::state::RuntimeState;
use vrl::compiler::{Context, Program, TargetValue, TimeZone, compile};
use vrl::value::{Secrets, Value};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, logs, out] = arguments.as_slice() else { return Err("vrl-peer ndjson|ecs IN OUT".into()) };
    let source = if task == "ecs" {
        concat!(include_str!("flat.vrl"), include_str!("ecs.vrl"))
    } else {
        include_str!("flat.vrl")
    };
    let compiled = compile(source, &vrl::stdlib::all());
    let program = compiled.map_err(|wrong| format!("the VRL program is wrong: {wrong:?}"))?.program;
    let mut files: Vec<_> =
        fs::read_dir(logs)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.sort();
    for stage in ["receipt", "process", "delivery"] {
        let mut out = BufWriter::new(File::create(Path::new(out).join(format!("{stage}.ndjson")))?);
        let of_stage = |path: &&std::path::PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(stage))
        };
        for file in files.iter().filter(of_stage) {
            convert(&program, file, &mut out)?;
        }
        out.flush()?;
    }
    Ok(())
}

fn convert(program: &Program, file: &Path, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let timezone = TimeZone::default();
    let mut state = RuntimeState::default();
    for line in BufReader::with_capacity(1 << 18, File::open(file)?).lines() {
        let event = BTreeMap::from([("message".into(), Value::from(line?))]);
        let mut target = TargetValue {
            value: Value::Object(event),
            metadata: Value::Object(BTreeMap::new()),
            secrets: Secrets::default(),
        };
        let mut context = Context::new(&mut target, &mut state, &timezone);
        program.resolve(&mut context).map_err(|wrong| format!("{wrong:?}"))?;
        serde_json::to_writer(&mut *out, &target.value)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
