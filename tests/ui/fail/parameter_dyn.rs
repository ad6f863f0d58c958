trait Note {}

#[airlock::task]
fn send(note: dyn Note) {
    let _ = note;
}

fn main() {}
