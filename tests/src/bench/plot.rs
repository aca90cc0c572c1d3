//! Plots, as SVG.

use std::error::Error;
use std::path::Path;

use plotters::prelude::{
    BLACK, ChartBuilder, Circle, IntoDrawingArea, LineSeries, Palette, Palette99, PathElement,
    SVGBackend, SeriesLabelPosition, WHITE,
};
use plotters::style::Color;

/// Of one subject.
#[derive(Debug, Clone)]
pub struct Line {
    /// In the legend.
    pub name: String,
    /// Place on the axis of clients, and value.
    pub points: Vec<(usize, f64)>,
}

/// Values by numbers of clients, one line a subject.
///
/// # Errors
/// A file that cannot be written.
pub fn by_clients(
    path: &Path,
    what: &str,
    clients: &[usize],
    lines: &[Line],
) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(path, (960, 540)).into_drawing_area();
    root.fill(&WHITE)?;
    let values = lines.iter().flat_map(|line| &line.points);
    let top = values.map(|(_, value)| *value).fold(0.0, f64::max) * 1.1;
    let right = clients.len().saturating_sub(1).max(1) as f64;
    let mut chart = ChartBuilder::on(&root)
        .caption(what, ("sans-serif", 20))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d(0.0..right, 0.0..top.max(f64::MIN_POSITIVE))?;
    let named = |place: &f64| {
        let is_whole = (place - place.round()).abs() < 1e-6;
        let number = clients.get(place.round() as usize).filter(|_| is_whole);
        number.map(ToString::to_string).unwrap_or_default()
    };
    chart
        .configure_mesh()
        .x_desc("clients")
        .x_labels(clients.len())
        .x_label_formatter(&named)
        .draw()?;
    for (number, line) in lines.iter().enumerate() {
        let style = Palette99::pick(number).stroke_width(2);
        let points = line.points.iter();
        let points: Vec<_> = points
            .map(|(place, value)| (*place as f64, *value))
            .collect();
        chart.draw_series(
            points
                .iter()
                .map(|point| Circle::new(*point, 3, style.filled())),
        )?;
        chart
            .draw_series(LineSeries::new(points, style))?
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
