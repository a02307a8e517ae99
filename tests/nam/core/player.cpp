// Plays raw float32 from standard input through a capture with NeuralAmpModelerCore, exact tanh:
//   player FILE.nam BLOCK < input.f32 > output.f32
// Exit code 3 and the core's words on standard error where the core refuses the file.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <vector>

#include "NAM/activations.h"
#include "NAM/dsp.h"
#include "NAM/get_dsp.h"

int main(int argc, char** argv)
{
  if (argc != 3)
    return 2;
  const int block = std::atoi(argv[2]);
  try
  {
    nam::activations::Activation::disable_fast_tanh();
    auto model = nam::get_dsp(std::filesystem::path(argv[1]));
    if (model->NumInputChannels() != 1 || model->NumOutputChannels() != 1)
    {
      std::fprintf(stderr, "not mono\n");
      return 3;
    }
    const double stated = model->GetExpectedSampleRate();
    model->Reset(stated > 0 ? stated : 48000.0, block);
    std::vector<float> samples(block);
    std::vector<double> in(block), out(block);
    double* inputs[] = {in.data()};
    double* outputs[] = {out.data()};
    std::size_t count;
    while ((count = std::fread(samples.data(), sizeof(float), block, stdin)) > 0)
    {
      for (std::size_t i = 0; i < count; i++)
        in[i] = samples[i];
      model->process(inputs, outputs, static_cast<int>(count));
      for (std::size_t i = 0; i < count; i++)
        samples[i] = static_cast<float>(out[i]);
      std::fwrite(samples.data(), sizeof(float), count, stdout);
    }
  }
  catch (const std::exception& error)
  {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  }
  return 0;
}
