struct Mailer;

#[airlock::task]
fn send(#[state = Mailer] mailer: &Mailer) {
    let _ = mailer;
}

fn main() {}
