//! Is a place inside an area? Circles, boxes and polygons on the globe, in degrees and metres.
//!
//! The globe is a sphere: distances are great circles (haversine), and the sides of a polygon are straight lines in
//! degrees, as on a flat map. A box whose left edge is east of its right edge crosses the 180th meridian.
//!
//! Not here: an index of places. Areas are checked on the payload.

use serde_json::Value;

/// The mean radius of the earth in metres (IUGG).
const RADIUS: f64 = 6_371_008.8;

/// A place, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeoPoint {
    /// North of the equator.
    pub lat: f64,
    /// East of Greenwich.
    pub lon: f64,
}

impl GeoPoint {
    /// The place that an object with the numbers `lat` and `lon` names, if they are on the globe.
    pub fn from_json(value: &Value) -> Option<Self> {
        let (lat, lon) = (value.get("lat")?.as_f64()?, value.get("lon")?.as_f64()?);
        (lat.abs() <= 90.0 && lon.abs() <= 180.0).then_some(Self { lat, lon })
    }

    /// Metres along the great circle (haversine).
    pub fn distance(self, other: Self) -> f64 {
        let (a, b) = (self.lat.to_radians(), other.lat.to_radians());
        let (dlat, dlon) = (b - a, (other.lon - self.lon).to_radians());
        let h = (dlat / 2.0).sin().powi(2) + a.cos() * b.cos() * (dlon / 2.0).sin().powi(2);
        2.0 * RADIUS * h.sqrt().min(1.0).asin()
    }
}

/// All places strictly between two meridians and two parallels.
#[derive(Debug, Clone, PartialEq)]
pub struct GeoBox {
    /// The north-west corner.
    pub top_left: GeoPoint,
    /// The south-east corner.
    pub bottom_right: GeoPoint,
}

impl GeoBox {
    /// Whether the place is inside, not on the edge.
    pub fn contains(&self, point: GeoPoint) -> bool {
        let (west, east) = (self.top_left.lon, self.bottom_right.lon);
        let inside = if west > east {
            point.lon > west || point.lon < east
        } else {
            point.lon > west && point.lon < east
        };
        inside && point.lat < self.top_left.lat && point.lat > self.bottom_right.lat
    }
}

/// All places nearer to a centre than some metres.
#[derive(Debug, Clone, PartialEq)]
pub struct GeoRadius {
    /// The centre.
    pub center: GeoPoint,
    /// In metres.
    pub radius: f64,
}

impl GeoRadius {
    /// Whether the place is inside.
    pub fn contains(&self, point: GeoPoint) -> bool {
        self.center.distance(point) < self.radius
    }
}

/// All places inside a ring and in none of its holes. Each ring's last point is its first.
#[derive(Debug, Clone, PartialEq)]
pub struct GeoPolygon {
    /// The outer ring.
    pub exterior: Vec<GeoPoint>,
    /// The holes.
    pub interiors: Vec<Vec<GeoPoint>>,
}

impl GeoPolygon {
    /// Whether the place is inside.
    pub fn contains(&self, point: GeoPoint) -> bool {
        ring_contains(&self.exterior, point) && !self.interiors.iter().any(|hole| ring_contains(hole, point))
    }
}

/// Counts the sides that a ray to the east crosses: odd is inside.
fn ring_contains(ring: &[GeoPoint], point: GeoPoint) -> bool {
    let crossed = ring.windows(2).filter(|side| {
        let (a, b) = (side[0], side[1]);
        (a.lat > point.lat) != (b.lat > point.lat)
            && point.lon < (b.lon - a.lon) * (point.lat - a.lat) / (b.lat - a.lat) + a.lon
    });
    crossed.count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lon: f64) -> GeoPoint {
        GeoPoint { lat, lon }
    }

    #[test]
    fn areas_hold_what_is_inside() {
        let berlin = at(52.52437, 13.41053);
        let metres = berlin.distance(at(48.13743, 11.57549));
        assert!((metres - 504_000.0).abs() < 1_000.0, "Berlin to Munich is 504 km, not {metres}");
        assert!(GeoRadius { center: berlin, radius: metres + 1.0 }.contains(at(48.13743, 11.57549)));
        assert!(!GeoRadius { center: berlin, radius: metres - 1.0 }.contains(at(48.13743, 11.57549)));
        let fiji = GeoBox { top_left: at(-10.0, 170.0), bottom_right: at(-20.0, -170.0) };
        assert!(fiji.contains(at(-15.0, 179.0)) && fiji.contains(at(-15.0, -179.0)));
        assert!(!fiji.contains(at(-15.0, 0.0)) && !fiji.contains(at(-10.0, 179.0)), "the edge is outside");
        let square = |size: f64| {
            vec![at(-size, -size), at(-size, size), at(size, size), at(size, -size), at(-size, -size)]
        };
        let frame = GeoPolygon { exterior: square(2.0), interiors: vec![square(1.0)] };
        assert!(
            frame.contains(at(1.5, 0.0)) && !frame.contains(at(0.0, 0.0)) && !frame.contains(at(3.0, 0.0))
        );
    }

    #[test]
    fn only_places_on_the_globe_are_places() {
        let parse = |json: &str| GeoPoint::from_json(&serde_json::from_str(json).unwrap());
        assert_eq!(parse(r#"{"lat": 1, "lon": 2.5, "name": "x"}"#), Some(at(1.0, 2.5)));
        for bad in
            [r#"{"lat": 91, "lon": 0}"#, r#"{"lat": "1", "lon": 0}"#, r#"{"lat": 1}"#, "[1, 2]", "null"]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
