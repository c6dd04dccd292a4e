/* SPDX-License-Identifier: MIT */
/*
 * Reports that are told as they come: to a function of the program's, or by an end of the process
 * for whoever debugs it.
 */
#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/api/machines.h"

#include <dmasim/assert.h>
#include <dmasim/kernel.h>

static struct {
	bool armed;
	const char *what;
	jmp_buf out;
} contract;

void dmasim_contract_failed(const char *what, const char *file, int line)
{
	if (!contract.armed) {
		print_error("contract broken: %s (%s:%d)\n", what, file, line);
		abort();
	}
	contract.armed = false;
	contract.what = what;
	longjmp(contract.out, 1);
}

/* ---- Told to a function ---------------------------------------------------------------------- */

struct heard {
	u32 count;
	bool in_call; /* the code under test is on the stack */
	bool was_in_call;
	struct dmasim_report last;
};

static void hear(struct dmasim *s, const struct dmasim_report *report, void *cookie)
{
	struct heard *heard = cookie;

	heard->count++;
	heard->was_in_call = heard->in_call;
	heard->last = *report;
	assert_true(dmasim_now(s) >= report->at_ns);
}

static void unmap_wrongly(struct rig *rig)
{
	dma_unmap_phys(&rig->nvme->dev, 0x5000, SZ_4K, DMA_TO_DEVICE, 0);
}

static void expect_heard(struct heard *heard, u32 count, enum dmasim_report_id id)
{
	expect_u64(heard->count, count);
	assert_int_equal(heard->last.id, id);
	assert_true(heard->was_in_call);
}

static void a_report_is_told_before_the_call_returns(void **state)
{
	struct rig *rig = *state;
	struct heard heard = { .in_call = true };
	struct dmasim_report report;
	spinlock_t lock = { 0 };
	u8 byte;

	dmasim_on_report(rig->s, hear, &heard);
	unmap_wrongly(rig);
	expect_heard(&heard, 1, DMASIM_REPORT_UNMAP_NOT_MAPPED);
	dmasim_dev_read(rig->nvme, 0x5000, &byte, 1);
	expect_heard(&heard, 2, DMASIM_REPORT_IOMMU_FAULT);
	dmasim_enter(rig->s);
	spin_unlock(&lock);
	expect_heard(&heard, 3, DMASIM_REPORT_KERNEL_MISUSE);
	dmasim_enter(NULL);
	assert_true(dma_map_phys(&rig->nvme->dev, ram(rig, SZ_4K), SZ_4K,
				 (enum dma_data_direction)3, 0) == DMA_MAPPING_ERROR);
	/* That call did nothing: it is not certain to be over. */
	expect_u64(heard.count, 3);
	expect_u64(dmasim_report_count(rig->s), 4);
	expect_heard(&heard, 4, DMASIM_REPORT_BAD_DIRECTION);
	/* What is told is what is listed. */
	assert_true(dmasim_report_get(rig->s, 3, &report));
	assert_memory_equal(&heard.last, &report, sizeof(report));
}

static void what_is_expected_is_not_told(void **state)
{
	struct rig *rig = *state;
	struct heard heard = { 0 };

	dmasim_on_report(rig->s, hear, &heard);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	unmap_wrongly(rig);
	expect_u64(heard.count, 0);
	unmap_wrongly(rig);
	expect_u64(heard.count, 1);
	dmasim_suppress(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED);
	unmap_wrongly(rig);
	expect_u64(heard.count, 1);
}

static void nobody_is_told_any_more(void **state)
{
	struct rig *rig = *state;
	struct heard heard = { 0 };

	dmasim_on_report(rig->s, hear, &heard);
	dmasim_on_report(rig->s, NULL, NULL);
	unmap_wrongly(rig);
	expect_u64(heard.count, 0);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 1);
}

static void leaks_are_told_at_the_end_and_once(void **state)
{
	struct rig *rig = *state;
	struct heard heard = { 0 };

	dma_map_phys(&rig->nvme->dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_on_report(rig->s, hear, &heard);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 1);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 1);
	expect_u64(heard.count, 1);
	assert_int_equal(heard.last.id, DMASIM_REPORT_MAPPING_LEAKED);
}

static void what_could_not_be_recorded_is_told(void **state)
{
	struct rig *rig = *state;
	struct heard heard = { 0 };

	dmasim_on_report(rig->s, hear, &heard);
	dmasim_fail(rig->s, DMASIM_FAULT_REPORT, 1);
	unmap_wrongly(rig);
	expect_u64(heard.count, 1);
	assert_int_equal(heard.last.id, 0);
	assert_string_equal(heard.last.text, "a report could not be recorded: no memory\n");
}

static void ask_for_the_end(struct dmasim *s, const struct dmasim_report *report, void *cookie)
{
	struct heard *heard = cookie;

	(void)s;
	heard->last = *report;
	heard->count++;
	/* The headers forbid it; it does not go round in circles. */
	dmasim_check_clean(s, NULL, 0);
}

static void while_one_is_told_no_other_is(void **state)
{
	struct rig *rig = *state;
	struct heard heard = { 0 };

	dma_map_phys(&rig->nvme->dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_on_report(rig->s, ask_for_the_end, &heard);
	unmap_wrongly(rig);
	expect_u64(heard.count, 1);
	expect_u64(dmasim_report_count(rig->s), 2);
}

/* ---- Abort ----------------------------------------------------------------------------------- */

static bool in_call;

static void on_abort(int signal)
{
	(void)signal;
	_exit(in_call ? 42 : 43);
}

/* What the child's end is, and what it said. */
struct ended {
	int status;
	char said[4096];
};

static void child(void (*run)(struct dmasim *s, struct pci_dev *pdev),
		  const struct dmasim_config *config)
{
	struct dmasim *s;
	struct pci_dev *pdev;

	signal(SIGABRT, on_abort);
	s = dmasim_create(config);
	pdev = dmasim_add_endpoint(s, "00:01.0/00.0",
				   &(struct dmasim_endpoint){ .bar = { SZ_4K } });
	run(s, pdev);
	dmasim_check_clean(s, NULL, 0);
	_exit(dmasim_destroy(s) ? 1 : 0);
}

/* Whatever happens happens to a child. */
static struct ended run_child(void (*run)(struct dmasim *s, struct pci_dev *pdev),
			      const struct dmasim_config *config)
{
	struct ended ended = { 0 };
	size_t length = 0;
	ssize_t got;
	pid_t pid;
	int fd[2];

	fflush(NULL);
	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(fd[1], 2);
		close(fd[0]);
		close(fd[1]);
		child(run, config);
	}
	close(fd[1]);
	while ((got = read(fd[0], ended.said + length, sizeof(ended.said) - 1 - length)) > 0)
		length += (size_t)got;
	close(fd[0]);
	assert_int_equal(waitpid(pid, &ended.status, 0), pid);
	assert_true(WIFEXITED(ended.status));
	ended.status = WEXITSTATUS(ended.status);
	return ended;
}

static void unmap_what_is_not_mapped(struct dmasim *s, struct pci_dev *pdev)
{
	(void)s;
	in_call = true;
	dma_unmap_phys(&pdev->dev, 0x5000, SZ_4K, DMA_TO_DEVICE, 0);
	in_call = false;
}

static void do_it_as_expected(struct dmasim *s, struct pci_dev *pdev)
{
	dmasim_expect(s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	unmap_what_is_not_mapped(s, pdev);
}

static void leak(struct dmasim *s, struct pci_dev *pdev)
{
	dma_map_phys(&pdev->dev, dmasim_alloc(s, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
}

static void do_nothing(struct dmasim *s, struct pci_dev *pdev)
{
	(void)s;
	(void)pdev;
}

static const struct dmasim_config aborts = { DMASIM_CONFIG, .abort_on_report = true };

static void a_report_aborts_where_the_mistake_is_made(void **state)
{
	struct ended ended = run_child(unmap_what_is_not_mapped, &aborts);

	(void)state;
	assert_int_equal(ended.status, 42);
	assert_memory_equal(ended.said, "DMASIM-010 unmap-not-mapped: ", 29);
	assert_non_null(strstr(ended.said, "in unmap_what_is_not_mapped\n"));
}

static void the_environment_may_ask_for_it(void **state)
{
	(void)state;
	setenv("DMASIM_ABORT", "1", 1);
	assert_int_equal(run_child(unmap_what_is_not_mapped, NULL).status, 42);
	setenv("DMASIM_ABORT", "0", 1);
	assert_int_equal(run_child(unmap_what_is_not_mapped, NULL).status, 0);
	setenv("DMASIM_ABORT", "", 1);
	assert_int_equal(run_child(unmap_what_is_not_mapped, NULL).status, 0);
	unsetenv("DMASIM_ABORT");
}

static void expect_no_machine(const char *word)
{
	setenv("DMASIM_ABORT", word, 1);
	contract.what = NULL;
	contract.armed = true;
	if (!setjmp(contract.out))
		dmasim_create(NULL);
	contract.armed = false;
	assert_string_equal(contract.what, "DMASIM_ABORT is 0 or 1");
}

static void other_words_of_the_environment_are_refused(void **state)
{
	static const char *const words[] = { "yes", "2", "01", " 1", "1 " };

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		expect_no_machine(words[i]);
	unsetenv("DMASIM_ABORT");
}

/* ---- Without a framework --------------------------------------------------------------------- */

static void leak_and_ask(struct dmasim *s, struct pci_dev *pdev)
{
	dmasim_must_be_clean(s);
	leak(s, pdev);
	dmasim_must_be_clean(s);
}

static void leak_and_end(struct dmasim *s, struct pci_dev *pdev)
{
	leak(s, pdev);
	dmasim_must_end(s);
}

static void leak_memory_and_end(struct dmasim *s, struct pci_dev *pdev)
{
	dmasim_enter(s);
	ioremap(pci_resource_start(pdev, 0), SZ_4K);
	dmasim_must_end(s);
}

static void expect_end_of(void (*run)(struct dmasim *s, struct pci_dev *pdev), const char *says)
{
	struct ended ended = run_child(run, NULL);

	assert_int_equal(ended.status, 43);
	assert_non_null(strstr(ended.said, "test_report_at_once.c:"));
	if (!strstr(ended.said, says))
		fail_msg("'%s' is not in '%s'", says, ended.said);
}

static void what_must_be_clean_aborts_if_it_is_not(void **state)
{
	(void)state;
	expect_end_of(leak_and_ask, ": the machine is not clean:\nt=0 report=DMASIM-024 ");
	expect_end_of(leak_and_end, ": the machine is not clean:\nt=0 report=DMASIM-024 ");
	expect_end_of(leak_memory_and_end, ": the software leaked 1 allocations\n");
}

static void a_leak_aborts_at_the_end(void **state)
{
	struct ended ended = run_child(leak, &aborts);

	(void)state;
	assert_int_equal(ended.status, 43);
	assert_memory_equal(ended.said, "DMASIM-024 mapping-leaked: ", 27);
}

static void what_is_expected_does_not_abort(void **state)
{
	struct ended ended = run_child(do_it_as_expected, &aborts);

	(void)state;
	assert_int_equal(ended.status, 0);
	assert_string_equal(ended.said, "");
	assert_int_equal(run_child(do_nothing, &aborts).status, 0);
}

/* Whoever aborts then, as adapters do, leaves a trace that lint can read. */
static void the_end_leaves_a_whole_trace(void **state)
{
	FILE *file = tmpfile();
	struct dmasim *s = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .trace = file });
	struct pci_dev *nic = dmasim_add_endpoint(s, "00:01.0/00.0",
						  &(struct dmasim_endpoint){ .bar = { SZ_4K } });
	char text[4096];
	ssize_t length;

	(void)state;
	assert_non_null(file);
	dma_unmap_phys(&nic->dev, 0x5000, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(dmasim_check_clean(s, NULL, 0), 1);
	length = pread(fileno(file), text, sizeof(text) - 1, 0);
	assert_true(length > 0);
	text[length] = '\0';
	assert_non_null(strstr(text, " report id=unmap-not-mapped "));
	assert_int_equal(text[length - 1], '\n');
	dmasim_destroy(s);
	fclose(file);
}

TEST_MAIN(BEHIND_VTD(a_report_is_told_before_the_call_returns),
	  BEHIND_VTD(what_is_expected_is_not_told), BEHIND_VTD(nobody_is_told_any_more),
	  BEHIND_VTD(leaks_are_told_at_the_end_and_once),
	  BEHIND_VTD(what_could_not_be_recorded_is_told), BEHIND_VTD(while_one_is_told_no_other_is),
	  cmocka_unit_test(a_report_aborts_where_the_mistake_is_made),
	  cmocka_unit_test(the_environment_may_ask_for_it),
	  cmocka_unit_test(other_words_of_the_environment_are_refused),
	  cmocka_unit_test(what_must_be_clean_aborts_if_it_is_not),
	  cmocka_unit_test(a_leak_aborts_at_the_end),
	  cmocka_unit_test(what_is_expected_does_not_abort),
	  cmocka_unit_test(the_end_leaves_a_whole_trace))
