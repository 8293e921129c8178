//! The methods that the parameters of all nets share.

/// Methods that set one parameter of `training` each.
macro_rules! training_methods {
    ($params:ty, $batch:literal) => {
        impl $params {
            /// How often all cases are learnt from, 1 to 1000000; 20 unless said.
            #[must_use]
            pub fn epochs(mut self, epochs: usize) -> Self {
                self.training.epochs = epochs;
                self
            }

            #[doc = $batch]
            #[must_use]
            pub fn batch(mut self, cases: usize) -> Self {
                self.training.batch = cases;
                self
            }

            /// Greatest length of a step, above 0; 0.001 unless said.
            #[must_use]
            pub fn learning_rate(mut self, rate: f64) -> Self {
                self.training.learning_rate = rate;
                self
            }

            /// How weights follow their gradients; AdamW with a decay of 0.01 unless said.
            #[must_use]
            pub fn optimiser(mut self, optimiser: $crate::nets::Optimiser) -> Self {
                self.training.optimiser = optimiser;
                self
            }

            /// How the length of the steps goes; [`Schedule::OneCycle`](crate::nets::Schedule::OneCycle) unless said.
            #[must_use]
            pub fn schedule(mut self, schedule: $crate::nets::Schedule) -> Self {
                self.training.schedule = schedule;
                self
            }

            /// Greatest length of the gradient of all weights together, above 0: longer ones are shortened; 1 unless
            /// said, none for `None`.
            #[must_use]
            pub fn clip(mut self, most: Option<f64>) -> Self {
                self.training.clip = most;
                self
            }

            /// Epochs without a better loss on the validation rows of `fit_valid` after which the fit ends with the
            /// weights of the best one, at least 1; all epochs are made unless said. Those rows should be of later days.
            #[must_use]
            pub fn patience(mut self, epochs: usize) -> Self {
                self.training.patience = Some(epochs);
                self
            }

            /// Share of the numbers between the last layers that is left out while learning, at least 0 and below 1; 0
            /// unless said.
            #[must_use]
            pub fn dropout(mut self, share: f64) -> Self {
                self.training.dropout = share;
                self
            }

            /// What the rows of either target weigh; the same unless said.
            #[must_use]
            pub fn class_weight(mut self, weight: $crate::ClassWeight) -> Self {
                self.training.class_weight = weight;
                self
            }

            /// Seed of first weights, order of rows and dropout; 7 unless said.
            #[must_use]
            pub fn seed(mut self, seed: u64) -> Self {
                self.training.seed = seed;
                self
            }

            /// Threads, 1 to 1024; all cores unless said. The model does not depend on it.
            #[must_use]
            pub fn threads(mut self, threads: usize) -> Self {
                self.training.threads = Some(threads);
                self
            }

            /// Where the net is trained and applied; that of `HAETAE_DEVICE` unless said, which is the processor. One
            /// that cannot be had is an error; [`Device::best`](crate::Device::best) takes the processor then. On
            /// another device the weights are the same but for rounding, and so is the file. `threads` does not count there.
            #[must_use]
            pub fn device(mut self, device: $crate::Device) -> Self {
                self.training.device = Some(device);
                self
            }
        }
    };
}
pub(crate) use training_methods;
