//! The inverse of a small symmetric matrix.

/// Returns the inverse of a positive definite matrix, `None` if it is not (Gauss–Jordan, no pivots:
/// a positive definite matrix needs none).
pub(crate) fn inverse(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let k = matrix.len();
    for pivot in 0..k {
        let scale = matrix[pivot][pivot];
        if scale.is_nan() || scale <= 0.0 {
            return None;
        }
        matrix[pivot][pivot] = 1.0;
        for entry in &mut matrix[pivot] {
            *entry /= scale;
        }
        let row = matrix[pivot].clone();
        for (i, other) in matrix.iter_mut().enumerate() {
            if i == pivot {
                continue;
            }
            let factor = other[pivot];
            other[pivot] = 0.0;
            for (entry, value) in other.iter_mut().zip(&row) {
                *entry -= factor * value;
            }
        }
    }
    Some(matrix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_times_the_matrix_is_the_identity() {
        let result = inverse(vec![vec![4.0, 1.0], vec![1.0, 3.0]]).unwrap();
        assert!((result[0][0] - 3.0 / 11.0).abs() < 1e-15);
        assert!((result[0][1] + 1.0 / 11.0).abs() < 1e-15);
        assert!(inverse(vec![vec![0.0]]).is_none());
    }
}
