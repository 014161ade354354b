# A rival in the speed benchmark: mrgsolve (LSODA, compiled C++), on one or several processes.
#
#   python -m benchmarks.system.export FOLDER 200
#   Rscript benchmarks/system/mrgsolve.R FOLDER [PROCESSES] [TOLERANCES]
#   python -m benchmarks.system.judge FOLDER
#
# Writes, for every tolerance, FOLDER/mrgsolve-TOLERANCE.csv (protocol, ID, time, quantities) and
# FOLDER/mrgsolve-seconds.csv; the last command prints errors against the oracle. Compilation is not counted.
suppressPackageStartupMessages(library(mrgsolve))
arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[1]
processes <- if (length(arguments) > 1) as.integer(arguments[2]) else 2L
tolerances <- if (length(arguments) > 2) as.numeric(strsplit(arguments[3], ",")[[1]]) else c(1e-6, 1e-8, 1e-10)

model <- mread_cache("model", project = folder, soloc = folder, quiet = TRUE)
draws <- read.csv(file.path(folder, "draws.csv"))
doses <- read.csv(file.path(folder, "doses.csv"))
readings <- read.csv(file.path(folder, "readings.csv"))$time
absolute <- with(read.csv(file.path(folder, "tolerances.csv")), setNames(absolute, state))
compartments <- names(init(model))

# One table of events per protocol: every draw gets the same doses and readings. Times run from the first dose.
# A bolus at a time comes before a reading at that time; here no two coincide.
events <- function(protocol) {
  given <- doses[doses$protocol == protocol, ]
  zero <- min(given$start)
  dosing <- data.frame(
    time = given$start - zero, evid = 1L, cmt = match(given$state, compartments), amt = given$amount,
    rate = ifelse(given$duration > 0, given$amount / given$duration, 0)
  )
  reading <- data.frame(time = readings - zero, evid = 0L, cmt = 0L, amt = 0, rate = 0)
  one <- rbind(dosing, reading)
  one <- one[order(one$time, -one$evid), ]
  all <- one[rep(seq_len(nrow(one)), nrow(draws)), ]
  all$ID <- rep(draws$ID, each = nrow(one))
  list(data = all, zero = zero)
}

simulate <- function(ids, tables, tolerance) {
  begin <- proc.time()
  ready <- update(model, rtol = tolerance, maxsteps = 200000, hmax = 0)
  ready <- custom_atol(ready, absolute * tolerance, .default = tolerance * 1e-2)
  chosen <- draws[draws$ID %in% ids, ]
  parts <- lapply(seq_along(tables), function(protocol) {
    data <- tables[[protocol]]$data
    found <- mrgsim_di(ready, data[data$ID %in% ids, ], chosen, output = "df")
    wanted <- found$time %in% (readings - tables[[protocol]]$zero)
    cbind(protocol = protocol, found[wanted, c("ID", "time", grep("^o_", names(found), value = TRUE))])
  })
  list(found = do.call(rbind, parts), cpu = sum((proc.time() - begin)[c("user.self", "sys.self")]))
}

tables <- lapply(sort(unique(doses$protocol)), events)
groups <- split(draws$ID, cut(seq_along(draws$ID), 2 * processes, labels = FALSE))
seconds <- data.frame()
for (tolerance in tolerances) {
  invisible(simulate(draws$ID[1], tables, tolerance))
  begin <- proc.time()
  parts <- parallel::mclapply(groups, simulate, tables = tables, tolerance = tolerance, mc.cores = processes)
  took <- proc.time() - begin
  cpu <- sum(sapply(parts, `[[`, "cpu"))
  name <- format(tolerance, scientific = TRUE)
  found <- do.call(rbind, lapply(parts, `[[`, "found"))
  found$time <- NULL
  write.csv(format(found, digits = 17), file.path(folder, paste0("mrgsolve-", name, ".csv")), row.names = FALSE, quote = FALSE)
  seconds <- rbind(seconds, data.frame(tolerance = name, seconds = took[["elapsed"]], cpu = cpu, processes = processes))
  write.csv(seconds, file.path(folder, "mrgsolve-seconds.csv"), row.names = FALSE, quote = FALSE)
}
