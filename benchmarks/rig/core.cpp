// Times NeuralAmpModelerCore step by step:  core FILE.nam [exact]
// Reads lines "BLOCK COUNT" from standard input; for each, plays COUNT blocks of noise and prints the
// nanoseconds of every one in a line.  With a COUNT below zero, plays the -COUNT blocks of samples that
// follow from a fresh state and prints what it gives.  Fast tanh is on, as the plug-in has it, but for
// "exact".
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <random>
#include <vector>

#include "NAM/activations.h"
#include "NAM/dsp.h"
#include "NAM/get_dsp.h"

#if defined(__SSE__)
  #include <xmmintrin.h>
#endif

int main(int argc, char** argv)
{
  if (argc != 2 && argc != 3)
    return 2;
#if defined(__SSE__)
  _mm_setcsr(_mm_getcsr() | 0x8040); // denormals are zero, as in the plug-in
#endif
  try
  {
    if (argc == 2)
      nam::activations::Activation::enable_fast_tanh();
    auto model = nam::get_dsp(std::filesystem::path(argv[1]));
    int block = 0, count = 0, prepared = 0;
    while (std::scanf("%d %d", &block, &count) == 2)
    {
      if (block != prepared || count < 0)
        model->Reset(48000.0, prepared = block);
      std::mt19937 random(0);
      std::normal_distribution<double> normal(0.0, 0.2);
      std::vector<NAM_SAMPLE> in(block), out(block);
      for (auto& sample : in)
        sample = static_cast<NAM_SAMPLE>(normal(random));
      NAM_SAMPLE *inputs[] = {in.data()}, *outputs[] = {out.data()};
      std::vector<NAM_SAMPLE> given(count < 0 ? -count * block : 0);
      for (auto& sample : given) // all of them first, or both sides would wait to write
        if (std::scanf("%f", &sample) != 1)
          return 3;
      for (int i = 0; i < -count; i++)
      {
        inputs[0] = given.data() + i * block;
        model->process(inputs, outputs, block);
        for (auto sample : out)
          std::printf("%.9g ", sample);
      }
      for (int i = 0; i < count; i++)
      {
        const auto begin = std::chrono::steady_clock::now();
        model->process(inputs, outputs, block);
        const std::chrono::nanoseconds spent = std::chrono::steady_clock::now() - begin;
        std::printf("%lld ", static_cast<long long>(spent.count()));
      }
      std::printf("\n");
      std::fflush(stdout);
    }
  }
  catch (const std::exception& error)
  {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  }
  return 0;
}
