/* SPDX-License-Identifier: MIT */
#include "step.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

/* The trap flag of the processor: a trap, and so SIGTRAP, after each instruction. */
#define TRAP_FLAG 0x100

/* The victim's own. */
static struct {
    struct told *told;
    uint32_t left; /* instructions */
    bool asleep;
} self;

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* Is the next instruction `syscall`? */
static bool at_call(const ucontext_t *context)
{
    const uint8_t *code = (const uint8_t *)context->uc_mcontext.gregs[REG_RIP];
    return code[0] == 0x0f && code[1] == 0x05;
}

/* After each instruction. */
static void trapped(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    if (atomic_load(&self.told->over))
        die();
    if (self.left-- > 0)
        return;
    if (!at_call(context) || atomic_load(&self.told->at_call))
        die();
    atomic_store(&self.told->at_call, true);
    if (!self.asleep)
        die();
    self.left = 0;
}

static _Noreturn void be_victim(struct world *world, void (*before)(struct world *),
                                void (*act)(struct world *))
{
    struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &action, NULL);
    if (before)
        before(world);
    __asm__ volatile("pushfq\n\torq %0, (%%rsp)\n\tpopfq" : : "i"(TRAP_FLAG) : "memory", "cc");
    act(world);
    atomic_store(&world->told->over, true);
    for (;;)
        pause();
}

/* Does the kernel say so? */
static bool is_asleep(pid_t process)
{
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 0;
    if (file)
        fclose(file);
    return state == 'S';
}

bool step_to_sleep;

enum step_end step_kill(struct world *world, void (*before)(struct world *), void (*act)(struct world *),
                        uint32_t instructions, bool asleep, bool *call)
{
    step_to_sleep = asleep;
    self.told = world->told;
    self.left = instructions;
    self.asleep = asleep;
    const pid_t victim = fork();
    if (victim < 0)
        world_die("fork");
    if (victim == 0)
        be_victim(world, before, act);
    int status = 0;
    bool sleeps = false;
    while (asleep && !sleeps && waitpid(victim, &status, WNOHANG) == 0) {
        sleeps = atomic_load(&world->told->at_call) && is_asleep(victim);
        usleep(20);
    }
    if (sleeps)
        kill(victim, SIGKILL);
    if (!status && waitpid(victim, &status, 0) != victim)
        world_die("waitpid");
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        world_die("the victim died of something else");
    *call = atomic_load(&world->told->at_call);
    if (sleeps)
        return STEP_KILLED_ASLEEP;
    return atomic_load(&world->told->over) ? STEP_OVER : *call && asleep ? STEP_CALL_RETURNED : STEP_KILLED;
}
