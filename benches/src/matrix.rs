//! How do vectors and answers travel between programs? As a file of rows: two `u32` (rows, numbers per row), then the
//! numbers, 4 bytes each, all little-endian. `.fbin` files hold `f32`, `.ibin` files `u32`; others use them too.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use rand::{RngExt, SeedableRng, rngs::SmallRng};

use crate::Result;

/// Clusters in the vectors that are made up.
const CLUSTERS: usize = 50;

/// Bytes before the numbers.
const HEAD: usize = 8;

/// Rows of vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// Numbers per row.
    pub dimension: usize,
    /// Rows × dimension numbers.
    pub values: Vec<f32>,
}

impl Matrix {
    /// Vectors in clusters, always the same ones.
    pub fn clustered(rows: usize, dimension: usize) -> Self {
        let mut random = SmallRng::seed_from_u64(1);
        let centres: Vec<f32> = (0..CLUSTERS * dimension).map(|_| random.random_range(-4.0..4.0)).collect();
        let mut values = Vec::with_capacity(rows * dimension);
        for _ in 0..rows {
            let centre = random.random_range(0..CLUSTERS) * dimension;
            let row = &centres[centre..centre + dimension];
            values.extend(row.iter().map(|value| value + random.random_range(-1.0f32..1.0)));
        }
        Self { dimension, values }
    }

    /// Reads an `.fbin` file.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&bytes).ok_or_else(|| format!("{} is not a matrix of f32", path.display()).into())
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (head, numbers) = bytes.split_at_checked(HEAD)?;
        let word = |at: usize| head[at..at + 4].try_into().map(u32::from_le_bytes).ok();
        let (rows, dimension) = (word(0)? as usize, word(4)? as usize);
        let (numbers, rest) = numbers.as_chunks();
        let whole = rest.is_empty() && dimension > 0 && rows.checked_mul(dimension) == Some(numbers.len());
        whole.then(|| Self {
            dimension,
            values: numbers.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
        })
    }

    /// The rows, in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.dimension)
    }

    /// Writes an `.fbin` file.
    pub fn write(&self, path: &Path) -> Result<()> {
        write(path, self.dimension, self.values.iter().map(|value| value.to_le_bytes()))
    }
}

/// Writes lists of numbers as an `.ibin` file of `width` columns, shorter lists filled up with [`u32::MAX`].
pub fn write_lists(path: &Path, width: usize, lists: &[Vec<u32>]) -> Result<()> {
    let cell = |list: &Vec<u32>, column| list.get(column).copied().unwrap_or(u32::MAX).to_le_bytes();
    write(path, width, lists.iter().flat_map(|list| (0..width).map(move |column| cell(list, column))))
}

fn write(path: &Path, width: usize, numbers: impl Iterator<Item = [u8; 4]>) -> Result<()> {
    let body: Vec<u8> = numbers.flatten().collect();
    let mut file = BufWriter::new(File::create(path)?);
    let rows = body.len() / 4 / width.max(1);
    file.write_all(&u32::try_from(rows)?.to_le_bytes())?;
    file.write_all(&u32::try_from(width)?.to_le_bytes())?;
    file.write_all(&body)?;
    Ok(file.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_matrix_is_read_back_and_a_cut_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.fbin");
        let matrix = Matrix { dimension: 3, values: vec![1.0, -2.5, 0.0, 4.0, 5.0, 6.0] };
        matrix.write(&path).unwrap();
        assert_eq!(Matrix::read(&path).unwrap(), matrix);
        assert_eq!(matrix.rows().nth(1).unwrap(), [4.0, 5.0, 6.0]);
        let bytes = fs::read(&path).unwrap();
        for end in 0..bytes.len() {
            assert!(Matrix::parse(&bytes[..end]).is_none(), "{end} bytes");
        }
    }

    #[test]
    fn short_lists_are_filled_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ibin");
        write_lists(&path, 2, &[vec![7, 8], vec![9]]).unwrap();
        let bytes = fs::read(&path).unwrap();
        let words: Vec<u32> = bytes.as_chunks().0.iter().map(|&word| u32::from_le_bytes(word)).collect();
        assert_eq!(words, [2, 2, 7, 8, 9, u32::MAX]);
    }
}
