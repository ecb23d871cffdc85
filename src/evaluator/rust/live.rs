//! `:tasks --live`: a display that follows the loop, also while a cell keeps every thread busy.

use crate::evaluator::Event;
use crate::evaluator::child::executions::Executions;
use async_std::task;
use loopbook_channel::{CellId, DisplayKind, MimeBundle, Query};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Between two looks: four a second are as many as a person can read.
const PERIOD: Duration = Duration::from_millis(250);

/// Looks at very many tasks take longer, and no more than one part in so many of the time.
const PART: u32 = 10;

/// The display stops after so many looks, about half an hour.
const MOST: u32 = 7200;

/// The cell whose display is alive; a new one ends the one before.
#[derive(Debug, Default)]
pub(super) struct Live(AtomicU64);

impl Live {
    /// Shows the answer to `query` under `cell`, and keeps it up to date until all tasks have ended, the process that runs
    /// the cells ends, or another cell does the same. Returns when it is shown for the first time.
    ///
    /// # Errors
    /// A sentence for the user: why the loop cannot be asked.
    pub(super) async fn show(
        self: Arc<Self>,
        executions: Arc<Executions>,
        cell: CellId,
        query: Query,
    ) -> Result<(), String> {
        self.0.store(cell, Ordering::Release);
        let (first, goes_on) = ask(&executions, &query).await?;
        show_as(&executions, cell, DisplayKind::Display, first).await;
        if goes_on {
            task::spawn(self.follow(executions, cell, query));
        }
        Ok(())
    }

    async fn follow(self: Arc<Self>, executions: Arc<Executions>, cell: CellId, query: Query) {
        let child = executions.connection().map(|connection| connection.pid());
        let mut took = Duration::ZERO;
        for _ in 0..MOST {
            task::sleep(PERIOD.max(took * PART)).await;
            let same = executions.connection().map(|connection| connection.pid()) == child;
            if !same || self.0.load(Ordering::Acquire) != cell {
                return;
            }
            let began = Instant::now();
            let Ok((bundle, goes_on)) = ask(&executions, &query).await else { return };
            took = began.elapsed();
            show_as(&executions, cell, DisplayKind::Update, bundle).await;
            if !goes_on {
                return;
            }
        }
    }
}

/// The answer, and whether it lists a task that has not ended.
async fn ask(executions: &Executions, query: &Query) -> Result<(MimeBundle, bool), String> {
    let connection = executions.connection().ok_or("the loop has not started: run a cell first")?;
    let (bundle, living) = connection.query_living(query.clone()).await?;
    Ok((bundle, living.all > 0))
}

async fn show_as(executions: &Executions, cell: CellId, kind: DisplayKind, data: MimeBundle) {
    let display_id = Some(format!("loopbook-live-{cell}"));
    executions.send_async(Event::display(cell, kind, data, display_id)).await;
}
