//! `--force` over files that have grown, and what is known afterwards of others that hold the same.

use std::fs;

use crate::cuts::{convert, grown, holds, stdin, stopped};
use crate::lake::rows;
use crate::runs::Place;
use crate::sample::{gzip, long_receipts, receipts, zip};

#[test]
fn a_file_that_was_only_looked_at_again_grows_on() {
    for forced in ["-", "copy.log", "b.log"] {
        let place = grown();
        place.write("copy.log", receipts(0..9));
        // Its bytes are in two cuts, and are so named by a commit that holds none of them.
        place.write("a.log", receipts(0..9));
        convert(&place, "a.log");
        let name = if forced == "b.log" { "b.log" } else { "a.log" };
        if name == "b.log" {
            fs::rename(place.path("a.log"), place.path("b.log")).unwrap();
            convert(&place, "b.log");
        }
        stdin(&place, &format!("{forced} --force"), receipts(0..9));
        holds(&place, 9);
        for end in [12, 15] {
            place.append(name, receipts(end - 3..end));
            convert(&place, name);
            holds(&place, end);
        }
        convert(&place, &format!("{name} --force"));
        holds(&place, 15);
    }
}

#[test]
fn a_file_that_grew_in_between_is_replaced() {
    for growths in [0, 1, 2] {
        let place = Place::new();
        place.write("in/a.log", receipts(0..5));
        convert(&place, "in");
        for growth in 0..growths {
            place.append("in/a.log", receipts(5 + growth..6 + growth));
            convert(&place, "in");
        }
        place.append("in/a.log", receipts(5 + growths..9));
        for arguments in ["in --force", "in", "in --force"] {
            convert(&place, arguments);
            holds(&place, 9);
        }
        place.append("in/a.log", receipts(9..12));
        convert(&place, "in");
        convert(&place, "in --force");
        holds(&place, 12);
    }
}

#[test]
fn a_copy_of_the_beginning_stays_known() {
    for first in ["a.log", "snap.log", ""] {
        for forced in ["a.log", "-"] {
            let place = Place::new();
            place.write("a.log", receipts(0..5));
            convert(&place, if first.is_empty() { "a.log" } else { first }.replace("snap", "a").as_str());
            place.write("snap.log", receipts(0..5));
            if !first.is_empty() {
                convert(&place, "snap.log");
            }
            place.append("a.log", receipts(5..9));
            convert(&place, "a.log");
            for _ in 0..2 {
                stdin(&place, &format!("{forced} --force"), receipts(0..9));
                holds(&place, 9);
                convert(&place, "a.log snap.log");
                holds(&place, 9);
            }
            place.append("snap.log", receipts(20..22));
            place.append("a.log", receipts(9..12));
            convert(&place, "a.log snap.log");
            holds(&place, 14);
        }
    }
}

#[test]
fn a_copy_of_the_beginning_does_not_replace_the_whole() {
    let place = grown();
    place.write("snap.log", receipts(0..5));
    convert(&place, "a.log --force");
    let ran = place.run("convert snap.log -o out --force").exits(2);
    ran.says("a.log was converted together with these inputs").says("hint: ");
    holds(&place, 9);
    convert(&place, "a.log snap.log --force");
    holds(&place, 9);
}

#[test]
fn a_grown_file_does_not_replace_what_its_beginning_was_converted_with() {
    let place = Place::new();
    place.write("a.log", receipts(0..5));
    place.write("b.log", receipts(20..24));
    convert(&place, "a.log b.log");
    place.append("a.log", receipts(5..9));
    place.run("convert a.log -o out --force").exits(2).says("b.log was converted together");
    holds(&place, 9);
    convert(&place, "b.log a.log --force");
    holds(&place, 13);
}

#[test]
fn what_came_twice_in_another_form_is_replaced_with_it() {
    for inputs in ["w.zip a.log", "a.log w.zip", "a.log"] {
        let place = Place::new();
        place.write("a.log", receipts(0..5));
        convert(&place, "a.log");
        place.write("a.log", receipts(0..9));
        place.write("w.zip", zip(&[("x.log", receipts(0..9))]));
        convert(&place, "w.zip");
        assert_eq!(rows(&place.path("out")).len(), 5 + 9);
        convert(&place, &format!("{inputs} --force"));
        holds(&place, 9);
        convert(&place, "w.zip a.log");
        holds(&place, 9);
    }
}

#[test]
fn a_large_file_that_has_grown_is_replaced() {
    let text = long_receipts("Sx", 34 << 20);
    let count = text.lines().count();
    let (first, cut) = text.split_at(text[..18 << 20].rfind('\n').unwrap() + 1);
    for begun in [first, cut] {
        let place = Place::new();
        place.write("a.log", begun);
        convert(&place, "a.log");
        let rest = if begun == first { cut } else { first };
        place.append("a.log", rest);
        if begun == first {
            convert(&place, "a.log");
        }
        for arguments in ["a.log --force", "a.log", "a.log --force"] {
            convert(&place, arguments);
            holds(&place, count);
        }
        place.append("a.log", receipts(0..3));
        convert(&place, "a.log");
        holds(&place, count + 3);
        convert(&place, "a.log --force");
        holds(&place, count + 3);
    }
}

#[test]
fn what_only_shares_a_cut_with_what_was_replaced_is_still_read() {
    let text = long_receipts("Sx", 34 << 20);
    let text = format!("{text}datetime=2026-03-02T10:00:00+0000|aCode=last|acc=C0A0|Act=Acc\n");
    let place = stopped(&text, 1);
    place.write("b.log", text.replace("aCode=last", "aCode=next"));
    convert(&place, "b.log --force");
    holds(&place, text.lines().count());
    convert(&place, "a.log");
    let found: Vec<_> = rows(&place.path("out")).iter().map(|row| row.get("acode").to_owned()).collect();
    for acode in ["last", "next"] {
        assert_eq!(found.iter().filter(|other| *other == acode).count(), 1, "{acode}");
    }
}

#[test]
fn what_shares_its_end_with_what_was_replaced_grows_on() {
    let place = Place::new();
    place.write("a.log", receipts(10..15));
    convert(&place, "a.log");
    place.append("a.log", receipts(15..19));
    convert(&place, "a.log");
    // The same bytes at the same place.
    place.write("b.log", [receipts(20..25), receipts(15..19)].concat());
    convert(&place, "b.log --force");
    holds(&place, 14);
    place.append("a.log", receipts(30..33));
    convert(&place, "a.log");
    holds(&place, 17);
}

#[test]
fn cuts_across_the_slices_of_a_large_file_stay_known() {
    let text = long_receipts("Sx", 40 << 20);
    let count = text.lines().count();
    let cut = text[..22 << 20].rfind('\n').unwrap() + 1;
    for at in [cut, text[..35 << 20].rfind('\n').unwrap() + 1] {
        let place = Place::new();
        place.write("a.log", &text[..at]);
        convert(&place, "a.log");
        place.write("snap.log", &text[..at]);
        convert(&place, "snap.log");
        place.append("a.log", &text[at..]);
        convert(&place, "a.log");
        for arguments in ["a.log --force", "snap.log a.log", "a.log snap.log --force", "snap.log a.log"] {
            convert(&place, arguments);
            holds(&place, count);
        }
        place.append("a.log", receipts(0..3));
        convert(&place, "snap.log a.log");
        holds(&place, count + 3);
    }
}

#[test]
fn a_copy_of_the_beginning_is_known_whatever_its_form() {
    let text = long_receipts("Sx", 1 << 20);
    let (begun, count) = (&text[..=text[..600 << 10].rfind('\n').unwrap()], text.lines().count());
    let place = Place::new();
    place.write("a.log", begun);
    convert(&place, "a.log");
    place.write("a.log", &text);
    convert(&place, "a.log --force");
    place.write("copy.log", begun);
    place.write("copy.log.gz", gzip(begun));
    for arguments in ["copy.log", "copy.log.gz", "-"] {
        stdin(&place, arguments, begun);
        holds(&place, count);
    }
}

#[test]
fn what_is_nowhere_any_more_is_not_replaced() {
    let place = Place::new();
    place.write("in/a.log", receipts(0..5));
    place.write("in/b.log", receipts(5..9));
    convert(&place, "in");
    place.write("in/a.log", receipts(20..22));
    for (named, why) in [("in", "a.log is no longer what it was"), ("in/b.log", "is not among them")] {
        place.run(&format!("convert {named} -o out --force")).exits(2).says(why);
        holds(&place, 9);
    }
}

#[test]
fn what_damage_changed_in_a_zip_is_replaced_once_it_is_mended() {
    let members = [("a.log", receipts(0..50)), ("b.log", receipts(50..400))];
    let whole = zip(&members);
    for (at, first) in [(2, ""), (2, " --force"), (3, ""), (3, " --force")] {
        let place = Place::new();
        let mut damaged = whole.clone();
        damaged[whole.len() * at / 4] ^= 4;
        place.write("a.zip", damaged);
        place.run("convert a.zip -o out -q").exits(1);
        let before = rows(&place.path("out")).len();
        assert!(before > 50, "{at}: {before}");
        place.write("a.zip", &whole);
        let run = place.run(&format!("convert a.zip -o out{first}")).exits(0);
        if first.is_empty() {
            run.says("is there twice now");
        } else {
            holds(&place, 400);
        }
        for arguments in ["a.zip --force", "a.zip", "a.zip --force"] {
            convert(&place, arguments);
            holds(&place, 400);
        }
    }
}

#[test]
fn what_damage_changed_in_a_gzip_is_told_of() {
    let whole = gzip(receipts(0..400));
    for arguments in ["a.log.gz", "a.log.gz --force"] {
        let place = Place::new();
        let mut damaged = whole.clone();
        damaged[whole.len() * 3 / 4] ^= 4;
        place.write("a.log.gz", damaged);
        place.run("convert a.log.gz -o out -q").exits(1);
        let before = rows(&place.path("out")).len();
        assert!(before > 0);
        place.write("a.log.gz", &whole);
        place.run(&format!("convert {arguments} -o out")).exits(0).says("when it was damaged stays");
        assert_eq!(rows(&place.path("out")).len(), before + 400);
        let again = place.run("convert a.log.gz --force -o out").exits(0);
        assert!(!again.stderr.contains("damaged"), "{}", again.stderr);
        assert_eq!(rows(&place.path("out")).len(), before + 400);
    }
}

#[test]
fn what_damage_cut_short_is_replaced_once_it_is_mended() {
    let members = [("a.log", receipts(0..50)), ("b.log", receipts(50..400))];
    for (name, whole) in [("a.log.gz", gzip(receipts(0..400))), ("a.zip", zip(&members))] {
        let place = Place::new();
        place.write(name, &whole[..whole.len() * 3 / 4]);
        place.run(&format!("convert {name} -o out -q")).exits(1);
        // Half a record is none.
        let before = rows(&place.path("out")).len();
        assert!((50..400).contains(&before), "{name}: {before}");
        holds(&place, before);
        place.write("copy", fs::read(place.path(name)).unwrap());
        let copied = place.run("convert copy -o out -q");
        assert_eq!((name, copied.code), (name, if name == "a.zip" { Some(1) } else { Some(0) }));
        holds(&place, before);
        place.write(name, &whole);
        place.run(&format!("convert {name} -o out")).exits(0).says("is there twice now");
        for arguments in [format!("{name} --force"), name.to_owned(), format!("{name} --force")] {
            convert(&place, &arguments);
            holds(&place, 400);
        }
    }
}
