//! Tables and texts for lessons: the reactor, threads, lab servers, traces.

use super::bundle;
use super::table::{Column, Field, Table};
use crate::inspect::reactor::{Descriptor, Interest, Reactor};
use crate::lessons::{
    lab::{Arrival, Book, Server, ServerStats, Thread, Trace},
    predict::Prediction,
};
use crate::support::{base64, units::duration};
use loopbook_channel::{Escaped, MimeBundle, cell_label, counted};
use serde_json::Value;

/// So many connections are drawn.
const MOST_TRACES: usize = 10;

const fn column(title: &'static str, right: bool) -> Column {
    Column { title, right, wraps: false }
}

/// What `reactor()` shows as.
pub(crate) fn reactor(reactor: &Reactor) -> MimeBundle {
    let caption =
        format!("{} watches {} for the loop", reactor.backend, counted(reactor.descriptors.len(), "descriptor"));
    let row = |descriptor: &Descriptor| {
        let interest = match descriptor.interest {
            Interest::Nothing => "not armed",
            Interest::Read => "until it can be read",
            Interest::Write => "until it can be written",
            Interest::ReadAndWrite => "until it can be read or written",
        };
        vec![descriptor.fd.to_string().into(), descriptor.what.as_str().into(), interest.into()]
    };
    let columns = vec![column("fd", true), column("what", false), column("watched", false)];
    let rows = reactor.descriptors.iter().map(row).collect();
    bundle(&Table { caption, columns, rows, footer: None })
}

/// What `lab::threads()` shows as.
pub(crate) fn threads(threads: &[Thread]) -> MimeBundle {
    let row = |thread: &Thread| -> Vec<Field> {
        vec![thread.id.to_string().into(), thread.name.as_str().into(), thread.does.as_str().into()]
    };
    let columns = vec![column("id", true), column("name", false), column("what it does", false)];
    let caption = format!("{} in process {}", counted(threads.len(), "thread"), std::process::id());
    bundle(&Table { caption, columns, rows: threads.iter().map(row).collect(), footer: None })
}

/// What a server shows as.
pub(crate) fn server(server: &Server) -> MimeBundle {
    let caption = format!("a server at {}", server.url("/"));
    stats_table(caption, &server.stats())
}

/// What a server's counters show as.
pub(crate) fn server_stats(stats: &ServerStats) -> MimeBundle {
    stats_table("what the server has counted".to_owned(), stats)
}

fn stats_table(caption: String, stats: &ServerStats) -> MimeBundle {
    let counts: [(&str, String); 6] = [
        ("requests", stats.requests.to_string()),
        ("answered", stats.answered.to_string()),
        ("clients that hung up before", stats.hung_up.to_string()),
        ("in flight now", stats.in_flight.to_string()),
        ("most in flight at once", stats.max_in_flight.to_string()),
        ("open connections", stats.connections.to_string()),
    ];
    let rows = counts.into_iter().map(|(name, count)| vec![name.into(), count.into()]).collect();
    let columns = vec![column("what", false), column("count", true)];
    bundle(&Table { caption, columns, rows, footer: None })
}

/// What `arrivals()` shows as.
pub(crate) fn arrivals(arrivals: &[Arrival]) -> MimeBundle {
    let row = |arrival: &Arrival| vec![duration(arrival.at).into(), arrival.path.as_str().into()];
    let columns = vec![column("after", true), column("path", false)];
    let caption = counted(arrivals.len(), "request");
    bundle(&Table { caption, columns, rows: arrivals.iter().map(row).collect(), footer: None })
}

/// What rows of the database show as.
pub(crate) fn books(books: &[Book]) -> MimeBundle {
    let row = |book: &Book| vec![book.id.to_string().into(), book.title.as_str().into(), book.year.to_string().into()];
    let columns = vec![column("id", true), column("title", false), column("year", true)];
    let caption = counted(books.len(), "book");
    bundle(&Table { caption, columns, rows: books.iter().map(row).collect(), footer: None })
}

/// What `predictions()` shows as.
pub(crate) fn predictions(predictions: &[Prediction]) -> MimeBundle {
    let row = |prediction: &Prediction| -> Vec<Field> {
        let ratio = if prediction.ended_well { format!("{:.1}", prediction.ratio()) } else { "ended early".to_owned() };
        vec![
            prediction.cell.map(cell_label).unwrap_or_default().into(),
            duration(prediction.said).into(),
            duration(prediction.took).into(),
            ratio.into(),
        ]
    };
    let columns =
        vec![column("cell", false), column("said", true), column("took", true), column("times as long", true)];
    let caption = counted(predictions.len(), "prediction");
    bundle(&Table { caption, columns, rows: predictions.iter().map(row).collect(), footer: None })
}

/// What traces show as: drawings with captions, and the text for those who do not see them. Pictures, because a notebook
/// that was sent by somebody shows no SVG that stands in its HTML.
pub(crate) fn traces(traces: &[Trace]) -> MimeBundle {
    let figure = |trace: &Trace| {
        let caption = format!(
            "What went over connection {} from {} to {}. Time goes down.",
            trace.connection, trace.client, trace.server
        );
        format!(
            "<figure style=\"margin:0;overflow-x:auto\"><img alt=\"{}\" src=\"data:image/svg+xml;base64,{}\" \
             style=\"max-width:100%;height:auto;background:#fff\"><figcaption style=\"font-size:90%;opacity:.8\">{}</figcaption></figure>",
            Escaped(&trace.to_text()),
            base64::encode(trace.to_svg().as_bytes()),
            Escaped(&caption)
        )
    };
    let texts: Vec<String> = traces.iter().map(Trace::to_text).collect();
    let mut html: String = traces.iter().take(MOST_TRACES).map(figure).collect();
    if traces.len() > MOST_TRACES {
        html += &format!("<div>and {} more</div>", counted(traces.len() - MOST_TRACES, "connection"));
    }
    let mut bundle = MimeBundle::from([("text/plain".to_owned(), Value::String(texts.join("\n\n")))]);
    if !traces.is_empty() {
        bundle.insert("text/html".to_owned(), Value::String(html));
    }
    bundle
}
