/* The engine of one plug-in: a process that is started, and started again when it ends. */
#ifndef RESTYLE_ENGINE_HPP
#define RESTYLE_ENGINE_HPP

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

class Engine {
public:
    ~Engine() { stop(); }

    /* Start `restyle plugin MEMORY`, or $RESTYLE_COMMAND in the place of `restyle`. */
    void start(const std::string& memory)
    {
        if (fThread.joinable())
            return;
        fMemory = memory;
        fThread = std::thread([this] { keep(); });
    }

    /* End it: it does so by itself, as the plug-in has said that it closes, or is ended. */
    void stop()
    {
        fClosing = true;
        if (fThread.joinable())
            fThread.join();
    }

    /* Whether there is no such command, or it ends again and again: not worth waiting for. */
    bool missing() const { return fMissing; }

private:
    static constexpr int kLookMs = 50, kEndMs = 1500, kFirstPauseMs = 200, kLongestPauseMs = 10000,
                         kMostFailures = 3;

    std::string fMemory;
    std::thread fThread;
    std::atomic<bool> fClosing{false}, fMissing{false};
    pid_t fChild = 0;
    bool fTold = false;

    static void nap(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

    void keep()
    {
        int pause = kFirstPauseMs, waited = pause, alive = 0, failures = 0;
        while (!fClosing) {
            if (fChild > 0) {
                alive += kLookMs;
                if (alive > kLongestPauseMs) {
                    pause = kFirstPauseMs;
                    failures = 0;
                    fMissing = false;
                }
                if (waitpid(fChild, nullptr, WNOHANG) == fChild) {
                    if (alive <= kLongestPauseMs) {
                        pause = std::min(2 * pause, kLongestPauseMs);
                        fMissing = ++failures >= kMostFailures;
                    }
                    fChild = 0;
                    waited = 0;
                }
            } else if ((waited += kLookMs) >= pause) {
                alive = waited = 0;
                if (!spawn())
                    pause = kLongestPauseMs;
            }
            nap(kLookMs);
        }
        if (fChild <= 0)
            return;
        for (int ms = 0; ms < kEndMs; ms += 10, nap(10))
            if (waitpid(fChild, nullptr, WNOHANG) == fChild)
                return;
        kill(fChild, SIGKILL);
        waitpid(fChild, nullptr, 0);
    }

    bool spawn()
    {
        std::vector<std::string> words;
        const char* const command = std::getenv("RESTYLE_COMMAND");
        std::string rest = command != nullptr ? command : "restyle";
        for (size_t at = 0; (at = rest.find_first_not_of(' ')) != std::string::npos;) {
            const size_t end = std::min(rest.find(' ', at), rest.size());
            words.push_back(rest.substr(at, end - at));
            rest.erase(0, end);
        }
        if (words.empty())
            words.push_back("restyle");
        int error = launch(words);
        const char* const home = std::getenv("HOME");
        if (error == ENOENT && command == nullptr && home != nullptr) {
            words[0] = std::string(home) + "/.local/bin/restyle"; /* a DAW's PATH often lacks it */
            error = launch(words);
        }
        if (error != 0 && !fTold)
            std::fprintf(stderr,
                         "restyle: cannot start '%s': %s; the sound passes as it is. Install restyle, or"
                         " name its command in RESTYLE_COMMAND\n",
                         words[0].c_str(), std::strerror(error));
        fTold = error != 0;
        if (error != 0)
            fMissing = true;
        return error == 0;
    }

    int launch(const std::vector<std::string>& words)
    {
        std::vector<char*> arguments;
        for (const std::string& word : words)
            arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(const_cast<char*>("plugin"));
        arguments.push_back(const_cast<char*>(fMemory.c_str()));
        arguments.push_back(nullptr);

        posix_spawn_file_actions_t files;
        posix_spawn_file_actions_init(&files);
        posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addclosefrom_np(&files, 3);
        posix_spawnattr_t how;
        posix_spawnattr_init(&how);
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&how, &none);
        posix_spawnattr_setsigdefault(&how, &all);
        posix_spawnattr_setflags(
            &how, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        const int error =
            posix_spawnp(&fChild, arguments[0], &files, &how, arguments.data(), environ);
        posix_spawnattr_destroy(&how);
        posix_spawn_file_actions_destroy(&files);
        if (error != 0)
            fChild = 0;
        return error;
    }
};

#endif
