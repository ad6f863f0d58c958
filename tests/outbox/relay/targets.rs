//! Relays to executors that write to databases: another outbox, and one that refuses a whole transaction for one row.

use airlock::{Options, Outbox, OutboxState};

use super::{note, notes, relay};
use crate::home::{Home, block_on, on_both};

on_both! {
    async fn rows_go_on_to_another_outbox_with_their_ids_and_once(home) {
        let target = tokio::task::block_in_place(Home::sqlite);
        home.enqueue(|| {
            (0..1500).try_for_each(|number| note::enqueue(number).map(drop))?;
            note::enqueue_with(Options::new().priority(5).queue("default").header("tenant", "acme"), 1500)
        });
        home.drain(relay(&home, target.outbox.clone())).await;
        let (here, there) = (home.rows().await, target.rows().await);
        assert!(here.iter().all(|row| row.state == OutboxState::Done));
        let ids = |rows: &[airlock::OutboxRow]| rows.iter().map(|row| (row.id, row.task.clone())).collect::<Vec<_>>();
        assert_eq!(ids(&here), ids(&there));
        assert!(there.iter().all(|row| row.state == OutboxState::Waiting));
    }

    async fn promise_26_a_row_that_a_transaction_refuses_takes_none_of_its_neighbours_along(home) {
        let target = tokio::task::block_in_place(Home::sqlite);
        target.run(
            "CREATE TRIGGER refuses BEFORE INSERT ON airlock_outbox WHEN new.arguments LIKE '%:13}' OR new.arguments LIKE '%:77}'
             BEGIN SELECT RAISE(ABORT, 'unlucky'); END",
        );
        notes(&home, 300);
        let report = home.drain(relay(&home, target.outbox.clone())).await;
        assert_eq!((report.done, report.dead), (298, 2));
        assert_eq!(target.rows().await.len(), 298);
        let rows = home.rows().await;
        let dead: Vec<_> = rows.iter().enumerate().filter(|(_, row)| row.state == OutboxState::Dead).map(|(at, _)| at).collect();
        assert_eq!(dead, [13, 77]);
        assert!(rows[13].error.as_deref().is_some_and(|error| error.contains("refuses a value by a constraint")), "{:?}", rows[13].error);
    }
}

#[test]
fn rows_go_on_to_the_table_of_another_schema() {
    let home = Home::postgres();
    home.run("CREATE SCHEMA fleet");
    block_on(async {
        let target = Outbox::new(&home.url).expect("a URL").schema("fleet");
        target.migrate().await.expect("the table is made");
        notes(&home, 10);
        home.drain(relay(&home, target.clone())).await;
        assert_eq!(home.states().await, [(OutboxState::Done, 10)]);
        assert_eq!(target.stats().await.expect("stats").count(OutboxState::Waiting), 10);
    });
}
