//! Plots, as SVG.

use std::error::Error;
use std::path::Path;

use plotters::prelude::{
    BLACK, ChartBuilder, Circle, IntoDrawingArea, LineSeries, Palette, Palette99, PathElement,
    SVGBackend, SeriesLabelPosition, WHITE,
};
use plotters::style::Color;

/// Most points that are marked one by one.
const MOST_MARKS: usize = 16;

/// Of one subject.
#[derive(Debug, Clone)]
pub struct Line {
    /// In the legend.
    pub name: String,
    /// In their order.
    pub points: Vec<(f64, f64)>,
}

/// Values by numbers of clients, one line a subject. A point's first half is its place on the axis of clients.
///
/// # Errors
/// A file that cannot be written.
pub fn by_clients(
    path: &Path,
    what: &str,
    clients: &[usize],
    lines: &[Line],
) -> Result<(), Box<dyn Error>> {
    let named = |place: &f64| {
        let is_whole = (place - place.round()).abs() < 1e-6;
        let number = clients.get(place.round() as usize).filter(|_| is_whole);
        number.map(ToString::to_string).unwrap_or_default()
    };
    draw(path, what, ("clients", clients.len()), &named, lines)
}

/// Values over time, in seconds.
///
/// # Errors
/// A file that cannot be written.
pub fn over_time(path: &Path, what: &str, lines: &[Line]) -> Result<(), Box<dyn Error>> {
    draw(
        path,
        what,
        ("seconds", 12),
        &|second| format!("{second:.0}"),
        lines,
    )
}

fn draw(
    path: &Path,
    what: &str,
    (axis, labels): (&str, usize),
    named: &dyn Fn(&f64) -> String,
    lines: &[Line],
) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, (960, 540)).into_drawing_area();
    root.fill(&WHITE)?;
    let most = |value: fn(&(f64, f64)) -> f64| {
        let points = lines.iter().flat_map(|line| &line.points);
        points.map(value).fold(0.0, f64::max)
    };
    let (right, top) = (most(|point| point.0), most(|point| point.1) * 1.1);
    let mut chart = ChartBuilder::on(&root)
        .caption(what, ("sans-serif", 20))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d(0.0..right.max(1.0), 0.0..top.max(f64::MIN_POSITIVE))?;
    chart
        .configure_mesh()
        .x_desc(axis)
        .x_labels(labels)
        .x_label_formatter(&named)
        .draw()?;
    for (number, line) in lines.iter().enumerate() {
        let style = Palette99::pick(number).stroke_width(2);
        if line.points.len() <= MOST_MARKS {
            let marks = line.points.iter();
            chart.draw_series(marks.map(|point| Circle::new(*point, 3, style.filled())))?;
        }
        chart
            .draw_series(LineSeries::new(line.points.iter().copied(), style))?
            .label(&line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    root.present()?;
    Ok(())
}
