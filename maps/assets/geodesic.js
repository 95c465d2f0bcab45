/* Geodesics on the WGS 84 ellipsoid, after T. Vincenty, "Direct and inverse
 * solutions of geodesics on the ellipsoid", Survey Review 23 (176), 88-93, 1975. */
(() => {
  'use strict';

  const A = 6378137;
  const F = 1 / 298.257223563;
  const B = A * (1 - F);
  const rad = (degrees) => degrees * Math.PI / 180;
  const deg = (radians) => radians * 180 / Math.PI;

  /** Vincenty's A and B for a squared second eccentricity times cos² alpha. */
  function series(u2) {
    return [
      1 + u2 / 16384 * (4096 + u2 * (-768 + u2 * (320 - 175 * u2))),
      u2 / 1024 * (256 + u2 * (-128 + u2 * (74 - 47 * u2))),
    ];
  }

  /** Vincenty's delta sigma. */
  function correction(b, sinS, cosS, cos2m) {
    return b * sinS * (cos2m + b / 4 * (cosS * (-1 + 2 * cos2m ** 2)
      - b / 6 * cos2m * (-3 + 4 * sinS ** 2) * (-3 + 4 * cos2m ** 2)));
  }

  /**
   * Distance [m] and forward azimuth [degrees] between two points in degrees.
   * Null for nearly antipodal points, where the series does not converge.
   */
  function inverse(lon1, lat1, lon2, lat2) {
    const dLon = rad(((lon2 - lon1 + 540) % 360 + 360) % 360 - 180);
    const u1 = Math.atan((1 - F) * Math.tan(rad(lat1)));
    const u2 = Math.atan((1 - F) * Math.tan(rad(lat2)));
    const [s1, c1, s2, c2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
    let lambda = dLon;
    for (let step = 0; step < 200; step += 1) {
      const [sinL, cosL] = [Math.sin(lambda), Math.cos(lambda)];
      const sinS = Math.hypot(c2 * sinL, c1 * s2 - s1 * c2 * cosL);
      if (sinS === 0) return { distance: 0, azimuth: 0 };
      const cosS = s1 * s2 + c1 * c2 * cosL;
      const sigma = Math.atan2(sinS, cosS);
      const sinA = c1 * c2 * sinL / sinS;
      const cos2A = 1 - sinA ** 2;
      const cos2m = cos2A === 0 ? 0 : cosS - 2 * s1 * s2 / cos2A;
      const c = F / 16 * cos2A * (4 + F * (4 - 3 * cos2A));
      const next = dLon + (1 - c) * F * sinA
        * (sigma + c * sinS * (cos2m + c * cosS * (-1 + 2 * cos2m ** 2)));
      if (Math.abs(next - lambda) < 1e-13) {
        const [a, b] = series(cos2A * (A ** 2 - B ** 2) / B ** 2);
        const azimuth = Math.atan2(c2 * sinL, c1 * s2 - s1 * c2 * cosL);
        return {
          distance: B * a * (sigma - correction(b, sinS, cosS, cos2m)),
          azimuth: (deg(azimuth) + 360) % 360,
        };
      }
      lambda = next;
    }
    return null;
  }

  /** The point [lon, lat] at a distance [m] along an azimuth [degrees]. */
  function direct(lon, lat, azimuth, distance) {
    const u1 = Math.atan((1 - F) * Math.tan(rad(lat)));
    const [s1, c1] = [Math.sin(u1), Math.cos(u1)];
    const [sinAz, cosAz] = [Math.sin(rad(azimuth)), Math.cos(rad(azimuth))];
    const sigma1 = Math.atan2(Math.tan(u1), cosAz);
    const sinA = c1 * sinAz;
    const cos2A = 1 - sinA ** 2;
    const [a, b] = series(cos2A * (A ** 2 - B ** 2) / B ** 2);
    const start = distance / (B * a);
    let sigma = start;
    let cos2m = 0;
    for (let step = 0; step < 100; step += 1) {
      cos2m = Math.cos(2 * sigma1 + sigma);
      const next = start + correction(b, Math.sin(sigma), Math.cos(sigma), cos2m);
      const done = Math.abs(next - sigma) < 1e-13;
      sigma = next;
      if (done) break;
    }
    const [sinS, cosS] = [Math.sin(sigma), Math.cos(sigma)];
    cos2m = Math.cos(2 * sigma1 + sigma);
    const lat2 = Math.atan2(s1 * cosS + c1 * sinS * cosAz,
      (1 - F) * Math.hypot(sinA, s1 * sinS - c1 * cosS * cosAz));
    const lambda = Math.atan2(sinS * sinAz, c1 * cosS - s1 * sinS * cosAz);
    const c = F / 16 * cos2A * (4 + F * (4 - 3 * cos2A));
    const dLon = lambda - (1 - c) * F * sinA
      * (sigma + c * sinS * (cos2m + c * cosS * (-1 + 2 * cos2m ** 2)));
    return [lon + deg(dLon), deg(lat2)];
  }

  /** The geodesic between two points as [[lon, lat], …], a vertex each 20 km at most. */
  function line(lon1, lat1, lon2, lat2) {
    const found = inverse(lon1, lat1, lon2, lat2);
    if (!found || found.distance === 0) return [[lon1, lat1], [lon2, lat2]];
    const parts = Math.min(200, Math.max(1, Math.ceil(found.distance / 20000)));
    const points = [[lon1, lat1]];
    for (let i = 1; i < parts; i += 1) {
      points.push(direct(lon1, lat1, found.azimuth, found.distance * i / parts));
    }
    points.push([lon2, lat2]);
    return points;
  }

  window.lodemap = Object.assign(window.lodemap || {}, {
    geodesic: { inverse, direct, line },
  });
})();
