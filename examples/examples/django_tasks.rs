//! A shop that leaves its e-mails to the workers of a Django project, over a table of its database.
//!
//! ```text
//! pip install django-tasks-db 'psycopg[binary]'
//! cd examples/workers
//! export SECRET_KEY=of-the-project BROKER=postgres://shop:password@localhost/shop
//! python django_tasks_worker.py migrate
//! python django_tasks_worker.py db_worker --queue-name default,mail
//! BROKER=postgres://shop:password@localhost/shop \
//!     cargo run -p airlock-examples --features django-tasks,postgres --example django_tasks
//! ```
//!
//! For SQLite: `BROKER=sqlite:///srv/shop/db.sqlite3`, and `--features django-tasks,sqlite`.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::time::Duration;

use airlock::{DjangoTasksExecutor, Ended, Error, Options, scope};

/// Python has the body: `send_receipt` in `workers/django_tasks_worker.py`.
#[airlock::task(name = "django_tasks_worker.send_receipt", queue = "mail")]
fn send_receipt(order_id: u64, express: bool);

#[airlock::task(name = "django_tasks_worker.ask_for_review", queue = "mail")]
fn ask_for_review(order_id: u64);

fn main() -> airlock::Result<()> {
    let database = std::env::var("BROKER").unwrap_or_else(|_| "postgres://localhost/shop".to_owned());
    let django = DjangoTasksExecutor::new(database).map_err(Error::other)?;
    println!("writing to {django:?}");

    let Ended { result, flush } = scope().name("checkout").executor(django).run_reported(|| {
        send_receipt::enqueue(1, false)?;
        send_receipt::enqueue(2, true)?;
        ask_for_review::enqueue_with(Options::new().delay(Duration::from_secs(2)), 1)?;
        Ok::<(), Error>(())
    });
    result?;
    match flush {
        Ok(report) => println!("{report}"),
        // All of it is still here: a flush is one transaction.
        Err(error) => {
            error.failed().iter().for_each(|failure| println!("{failure}"));
            println!("{} can be sent again", error.undispatched().len());
        }
    }
    Ok(())
}
