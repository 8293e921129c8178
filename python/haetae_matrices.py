"""Numbers from Python to the cells of a kernel and back, by files: a cell and its peer then work on the same bits."""

import json

import numpy as np

CELL = """
fn read_numbers(path: &str) -> std::io::Result<Vec<f64>> {
    Ok(std::fs::read(path)?.chunks_exact(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect())
}
fn read_matrix(path: &str, rows: usize) -> Result<FeatureMatrix, Box<dyn std::error::Error>> {
    let columns: Vec<Vec<f64>> = read_numbers(path)?.chunks_exact(rows).map(|column| column.to_vec()).collect();
    let names = (0..columns.len()).map(|i| format!("x{i}")).collect();
    let numbers = vec![false; columns.len()];
    Ok(FeatureMatrix::new(names, columns, numbers)?)
}
fn read_sparse(path: &str, columns: usize) -> Result<SparseMatrix, Box<dyn std::error::Error>> {
    let read = |part: &str| read_numbers(&format!("{path}.{part}"));
    let starts = read("starts")?.iter().map(|start| *start as usize).collect();
    let places = read("places")?.iter().map(|place| *place as u32).collect();
    Ok(SparseMatrix::new(columns, starts, places, read("stored")?)?)
}
fn write_numbers(path: &str, values: &[f64]) -> std::io::Result<()> {
    std::fs::write(path, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
}
fn labels_as_numbers(labels: &[i32]) -> Vec<f64> {
    labels.iter().map(|label| f64::from(*label)).collect()
}
"""


class Matrices:
    """Arrays as variables of a kernel; `folder` takes the files."""

    def __init__(self, kernel, folder):
        self.kernel, self.folder = kernel, folder
        kernel.ok(CELL)

    def path(self, name):
        return json.dumps(str(self.folder / name))

    def give(self, **arrays):
        """Makes a `FeatureMatrix` of each array of two dimensions and a `Vec<f64>` of each of one, under its name."""
        cell = []
        for name, array in arrays.items():
            np.ascontiguousarray(array.T, "<f8").tofile(self.folder / name)
            read = f"read_matrix({self.path(name)}, {len(array)})" if array.ndim == 2 else f"read_numbers({self.path(name)})"
            cell.append(f"let {name} = {read}?;")
        self.kernel.ok("\n".join(cell))

    def give_pictures(self, name, pictures):
        """Makes `Pictures` of an array of pictures, lines, pixels and channels."""
        height, width, channels = pictures.shape[1:]
        self.give(**{f"{name}_rows": pictures.reshape(len(pictures), -1)})
        self.kernel.ok(
            f"let {name} = {{ let rows: ListChunked = (0..{name}_rows.rows()).map(|row| Some(Series::new(\"\".into(),"
            f" (0..{name}_rows.columns()).map(|i| {name}_rows.value(row, i)).collect::<Vec<f64>>()))).collect();"
            f' let frame = DataFrame::new(rows.len(), vec![rows.with_name("scan".into()).into_series().into()])?;'
            f' Pictures::from_frame(&frame, "scan", {height}, {width}, {channels})? }};'
        )

    def take(self, expression):
        """The numbers of an expression of type `&[f64]`."""
        self.kernel.ok(f"write_numbers({self.path('taken')}, {expression})?;")
        return np.fromfile(self.folder / "taken", "<f8")

    def give_sparse(self, **matrices):
        """Makes a `SparseMatrix` of each matrix in rows (CSR), under its name."""
        cell = []
        for name, matrix in matrices.items():
            matrix.sort_indices()
            for part, values in (("starts", matrix.indptr), ("places", matrix.indices), ("stored", matrix.data)):
                values.astype("<f8").tofile(self.folder / f"{name}.{part}")
            cell.append(f"let {name} = read_sparse({self.path(name)}, {matrix.shape[1]})?;")
        self.kernel.ok("\n".join(cell))

    def number(self, expression):
        return float(self.take(f"&[({expression}) as f64]")[0])
