//! Drawing in whole pixels with plotters, so that lines are crisp, and finishing the SVG so that it
//! can be read aloud and follows light and dark.

use plotters::coord::Shift;
use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;
use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::prelude::{DrawingArea, IntoDrawingArea, RGBColor, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, IntoFont, TextStyle};

use crate::markup::escaped;
use crate::safe::one_line;

/// The width of every plot; a narrow column scales it only a little.
pub(super) const WIDTH: i32 = 420;
/// The size of text.
const TEXT_SIZE: i32 = 13;
/// The width of a character of that size, a little more than the mean of common fonts.
const CHARACTER: i32 = 7;

pub(super) const TEXT: RGBColor = RGBColor(0x1b, 0x1f, 0x27);
pub(super) const FAINT: RGBColor = RGBColor(0x59, 0x61, 0x6e);
pub(super) const LINE: RGBColor = RGBColor(0xd5, 0xd9, 0xe0);
pub(super) const IMPROVED: RGBColor = RGBColor(0x0a, 0x5a, 0xa8);
pub(super) const REGRESSED: RGBColor = RGBColor(0xa3, 0x4a, 0x00);
pub(super) const NEUTRAL: RGBColor = RGBColor(0x7a, 0x84, 0x94);
pub(super) const SOFT: RGBColor = RGBColor(0xc9, 0xce, 0xd6);

/// The style sheet of plots: the font, and what their colours become in the dark.
pub(crate) const STYLE: &str = include_str!("plot.css");

/// Where a text stands at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A plot that is being drawn.
pub(super) struct Canvas<'s> {
    area: DrawingArea<SVGBackend<'s>, Shift>,
}

/// Draws a plot and returns its SVG.
///
/// `title` is its name and `description` says in words what it shows.
pub(super) fn draw(
    height: i32,
    title: &str,
    description: &str,
    drawing: impl FnOnce(&Canvas<'_>),
) -> String {
    let size = (u32::try_from(WIDTH).unwrap_or(0), u32::try_from(height).unwrap_or(0));
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let canvas = Canvas { area };
        drawing(&canvas);
        canvas.area.present().expect(INFALLIBLE);
    }
    let body = svg.find("<svg").and_then(|at| svg[at..].find('>').map(|end| at + end + 1));
    let body = &svg[body.unwrap_or(0)..];
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"trysquare-plot\" role=\"img\" \
         width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\">\n\
         <title>{}</title>\n<desc>{}</desc>\n{}\n",
        escaped(title),
        escaped(description),
        body.trim()
    )
}

/// Puts the style sheet into a plot that stands alone.
pub(super) fn standalone(svg: &str) -> String {
    svg.replacen("</desc>\n", &format!("</desc>\n<style>{STYLE}</style>\n"), 1)
}

const INFALLIBLE: &str = "writing to a string does not fail";

impl Canvas<'_> {
    /// Fills a rectangle of whole pixels.
    pub(super) fn rectangle(
        &self,
        (x, y): (i32, i32),
        (width, height): (i32, i32),
        colour: RGBColor,
    ) {
        if width > 0 && height > 0 {
            let shape = Rectangle::new([(x, y), (x + width, y + height)], colour.filled());
            self.area.draw(&shape).expect(INFALLIBLE);
        }
    }

    /// Draws an upright line of one pixel that ends before `to`.
    pub(super) fn upright(&self, x: i32, from: i32, to: i32, colour: RGBColor) {
        self.rectangle((x, from), (1, to - from), colour);
    }

    /// Draws an upright line of dashes.
    pub(super) fn dashed(&self, x: i32, from: i32, to: i32, colour: RGBColor) {
        let mut y = from;
        while y < to {
            self.rectangle((x, y), (1, 4.min(to - y)), colour);
            y += 7;
        }
    }

    /// Draws a level line of one pixel.
    pub(super) fn level(&self, y: i32, from: i32, to: i32, colour: RGBColor) {
        self.rectangle((from, y), (to - from, 1), colour);
    }

    /// Draws a line through points.
    pub(super) fn path(&self, points: Vec<(i32, i32)>, width: u32, colour: RGBColor) {
        let path = PathElement::new(points, colour.stroke_width(width));
        self.area.draw(&path).expect(INFALLIBLE);
    }

    /// Fills a disc.
    pub(super) fn disc(&self, centre: (i32, i32), radius: i32, colour: RGBColor) {
        self.area.draw(&Circle::new(centre, radius, colour.filled())).expect(INFALLIBLE);
    }

    /// Writes a text whose middle line is at the point, as real text.
    pub(super) fn text(&self, text: &str, at: (i32, i32), anchor: Anchor, colour: RGBColor) {
        let horizontal = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let font = ("system-ui", TEXT_SIZE).into_font().transform(FontTransform::None);
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(horizontal, VPos::Center));
        self.area.draw(&Text::new(text.to_owned(), at, style)).expect(INFALLIBLE);
    }
}

/// Returns about how wide a text is.
pub(super) fn width_of(text: &str) -> i32 {
    i32::try_from(text.chars().count()).unwrap_or(i32::MAX / CHARACTER).saturating_mul(CHARACTER)
}

/// Returns as much of a text as fits into a width.
pub(super) fn fitted(text: &str, width: i32) -> String {
    one_line(text, usize::try_from(width / CHARACTER).unwrap_or(0).max(4))
}

/// A scale from numbers to pixels, with round marks.
pub(super) struct Scale {
    coordinate: RangedCoordf64,
    pixels: (i32, i32),
    low: f64,
    high: f64,
}

impl Scale {
    /// Makes a scale that holds the values, with a little room on both sides.
    pub(super) fn around(values: impl Iterator<Item = f64>, pixels: (i32, i32)) -> Self {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        if low > high {
            return Self::new(0.0, 1.0, pixels);
        }
        let room = ((high - low) * 0.06).max(high.abs().max(low.abs()) * 1e-3).max(1e-9);
        Self::new(low - room, high + room, pixels)
    }

    /// Makes a scale from `low` to `high`, which differ.
    pub(super) fn new(low: f64, high: f64, pixels: (i32, i32)) -> Self {
        Self { coordinate: (low..high).into(), pixels, low, high }
    }

    /// Returns the pixel of a value.
    pub(super) fn at(&self, value: f64) -> i32 {
        self.coordinate.map(&value.clamp(self.low, self.high), self.pixels)
    }

    /// Returns at most `most` round values in the scale, in order.
    pub(super) fn marks(&self, most: usize) -> Vec<f64> {
        self.coordinate.key_points(most)
    }

    /// Returns round values with their texts.
    pub(super) fn labelled(
        &self,
        most: usize,
        label: impl Fn(f64) -> String,
    ) -> Vec<(i32, String)> {
        self.marks(most).into_iter().map(|mark| (self.at(mark), label(mark))).collect()
    }
}
