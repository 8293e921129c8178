//! The name of a device -> the device, and numbers of the caller as tensors on it.

use candle_core::{DType, Device, Result, Shape, Tensor, bail};

/// Where a net is, and in which numbers it reckons: `f32` in use, `f64` where gradients are compared with differences.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) device: Device,
    pub(crate) dtype: DType,
}

impl Place {
    /// `cpu`, or `cuda:` and a number.
    pub(crate) fn named(name: &str) -> Result<Self> {
        let device = match name.split_once(':') {
            None if name == "cpu" => Device::Cpu,
            Some(("cuda", number)) => match number.parse() {
                Ok(number) => cuda(number)?,
                Err(_) => bail!("device `{name}`: expected a number behind `cuda:`"),
            },
            _ => bail!("device `{name}`: expected `cpu` or `cuda:` and a number"),
        };
        Ok(Self { device, dtype: DType::F32 })
    }

    /// What the device is, for people.
    pub(crate) fn described(&self) -> String {
        match &self.device {
            Device::Cpu => "the processor, by way of candle".to_owned(),
            #[cfg(feature = "cuda")]
            Device::Cuda(device) => device.cuda_stream().context().name().unwrap_or_else(|_| "a GPU".to_owned()),
            _ => "a GPU".to_owned(),
        }
    }

    pub(crate) fn floats(&self, values: &[f32], shape: impl Into<Shape>) -> Result<Tensor> {
        Tensor::from_slice(values, shape.into(), &self.device)?.to_dtype(self.dtype)
    }

    pub(crate) fn codes(&self, values: &[u32]) -> Result<Tensor> {
        Tensor::from_slice(values, values.len(), &self.device)
    }

    pub(crate) fn zeros(&self, shape: impl Into<Shape>) -> Result<Tensor> {
        Tensor::zeros(shape, self.dtype, &self.device)
    }
}

#[cfg(not(feature = "cuda"))]
fn cuda(_: usize) -> Result<Device> {
    bail!("this library was built for the processor alone; `make cuda` builds one for GPUs")
}

/// One device a number: a second one would have a memory pool and kernels of its own.
#[cfg(feature = "cuda")]
fn cuda(number: usize) -> Result<Device> {
    use candle_core::cuda_backend::cudarc::driver;
    use std::collections::BTreeMap;
    use std::sync::{Mutex, PoisonError};
    static OPEN: Mutex<BTreeMap<usize, Device>> = Mutex::new(BTreeMap::new());
    // SAFETY: looks for the library and does nothing else. Without it, the calls below would panic.
    if !unsafe { driver::sys::is_culib_present() } {
        bail!("there is no NVIDIA driver: `libcuda.so.1` was not found");
    }
    let count = match driver::CudaContext::device_count() {
        Ok(count) => usize::try_from(count).unwrap_or(0),
        Err(error) => bail!("the NVIDIA driver found no GPU that it can use: {error}"),
    };
    if number >= count {
        bail!("there is no GPU {number}: the NVIDIA driver has {count}, counted from 0");
    }
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(device) = open.get(&number) {
        return Ok(device.clone());
    }
    let device = Device::new_cuda(number)?;
    // Kernels are loaded at their first use: a driver that is too old for them must be noticed now.
    Tensor::zeros(2, DType::F32, &device)?.affine(2.0, 1.0)?.to_vec1::<f32>()?;
    open.insert(number, device.clone());
    Ok(device)
}
