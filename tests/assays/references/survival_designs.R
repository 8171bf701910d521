# References for senexo.assays.survival with late entry, competing events and strata, made with R 4.2.2, survival 3.5-3,
# cmprsk 2.2-11 (Debian r-base-core, r-cran-survival, r-cran-cmprsk, r-cran-jsonlite):
#   Rscript survival_designs.R > survival_designs.json
# Inputs are printed beside the answers, 15 significant digits; `lt` and `strata` are ../cases/lt.csv and strata.csv.
suppressMessages({library(survival); library(cmprsk); library(jsonlite)})
set.seed(20261130)
out <- list()
columns <- function(d) lapply(as.list(d), function(x) if (is.factor(x)) as.character(x) else x)

model <- function(formula, data) {
  fit <- do.call("coxph", list(formula, data, control = coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 50)))
  zph <- cox.zph(fit)$table
  con <- concordance(fit)
  list(terms = names(coef(fit)), coef = unname(coef(fit)), se = unname(sqrt(diag(vcov(fit)))), loglik = fit$loglik,
       zph = unname(zph[, 1]), zph_df = unname(zph[, 2]), concordance = unname(con$concordance),
       concordance_se = sqrt(unname(con$var)))
}

# log-rank with delayed entry, from its definition: sum of O - E over event times, hypergeometric variance
log_rank <- function(entry, time, event, group, stratum) {
  g <- sort(unique(group)); u <- rep(0, length(g)); v <- matrix(0, length(g), length(g))
  for (s in unique(stratum)) for (t in sort(unique(time[event == 1 & stratum == s]))) {
    here <- stratum == s & entry < t & time >= t
    y <- sapply(g, function(k) sum(here & group == k)); n <- sum(y)
    d <- sapply(g, function(k) sum(here & group == k & time == t & event == 1)); m <- sum(d)
    u <- u + d - m * y / n
    if (n > 1) v <- v + m * (n - m) / (n - 1) * (diag(y / n) - outer(y / n, y / n))
  }
  sum(u[-1] * solve(v[-1, -1, drop = FALSE], u[-1]))
}

late <- function(d, until, adjust = NULL, strata = NULL) {
  s <- "Surv(entry, time, dead)"
  f <- function(x) as.formula(paste(s, "~", x))
  fit <- survfit(f("grp"), d)
  tab <- summary(fit, rmean = until)$table
  name <- sub("^[^=]*=", "", names(fit$strata))
  found <- list(input = columns(d), until = until, adjust = adjust, strata = strata, alone = model(f("grp"), d),
    curves = list(group = rep(name, fit$strata), time = fit$time, n_at_risk = fit$n.risk, n_events = fit$n.event,
                  survival = fit$surv, std_error = fit$std.err, low = fit$lower, high = fit$upper),
    groups = list(group = name, median = unname(tab[, "median"]), median_low = unname(tab[, "0.95LCL"]),
                  median_high = unname(tab[, "0.95UCL"]), mean = unname(tab[, "rmean"]),
                  mean_se = unname(tab[, "se(rmean)"])),
    logrank = log_rank(d$entry, d$time, d$dead, as.character(d$grp), rep(1, nrow(d))))
  if (!is.null(strata)) {
    within <- sprintf(" + strata(%s)", strata)
    found$stratified <- model(f(paste0("grp", within)), d)
    found$adjusted <- model(f(paste0(paste(c("grp", adjust), collapse = " + "), within)), d)
    found$logrank_stratified <- log_rank(d$entry, d$time, d$dead, as.character(d$grp), as.character(d[[strata]]))
  }
  found
}

lt <- read.csv("../cases/lt.csv", stringsAsFactors = TRUE)
out$lt <- late(lt[, c("entry", "time", "dead", "grp")], 40)
n <- 140
d <- data.frame(grp = sample(c("a", "b", "c"), n, TRUE), age = round(rnorm(n, 60, 10)), site = sample(c("x", "y"), n, TRUE))
t <- rexp(n, 0.05 * exp(0.5 * (d$grp == "b") + 0.03 * (d$age - 60) + 0.4 * (d$site == "y")))
d$entry <- ifelse(runif(n) < 0.6, round(runif(n, 0, 8)), 0)
end <- d$entry + runif(n, 4, 40)
d$time <- ceiling(pmin(t, end)); d$dead <- as.integer(t <= end)
d <- d[d$time > d$entry, ]; d$grp <- factor(d$grp)
out$late <- late(d, 20, "age", "site")

competing <- function(d) {
  causes <- list(event = 1, other = 2)
  x <- model.matrix(~ grp + age, d)[, -1]
  state <- factor(d$status, 0:2, c("none", "event", "other"))
  fit <- survfit(Surv(time, state) ~ grp, data.frame(d, state))
  at <- c(5, 10, 20)
  s <- summary(fit, times = at, extend = TRUE)
  found <- list(input = columns(d), at = at,
    incidence = list(group = sub("^[^=]*=", "", as.character(s$strata)), time = s$time, event = s$pstate[, 2],
                     other = s$pstate[, 3], event_se = s$std.err[, 2], other_se = s$std.err[, 3]),
    gray = unname(cuminc(d$time, d$status, d$grp)$Tests[, 1]),
    gray_stratified = unname(cuminc(d$time, d$status, d$grp, strata = d$site)$Tests[, 1]))
  for (k in names(causes)) {
    cause <- causes[[k]]
    crude <- crr(d$time, d$status, x[, 1:(ncol(x) - 1), drop = FALSE], failcode = cause, gtol = 1e-13, maxiter = 100)
    adjusted <- crr(d$time, d$status, x, failcode = cause, gtol = 1e-13, maxiter = 100)
    found[[paste0("fine_gray_", k)]] <- list(terms = colnames(x)[1:(ncol(x) - 1)], coef = unname(crude$coef),
                                             se = sqrt(diag(crude$var)), loglik = crude$loglik)
    found[[paste0("fine_gray_adjusted_", k)]] <- list(terms = colnames(x), coef = unname(adjusted$coef),
                                                      se = sqrt(diag(adjusted$var)), loglik = adjusted$loglik)
    d$now <- as.integer(d$status == cause)
    found[[paste0("cox_", k)]] <- model(Surv(time, now) ~ grp, d)
  }
  found
}

n <- 160
d <- data.frame(grp = factor(sample(c("a", "b", "c"), n, TRUE)), age = round(rnorm(n, 60, 10)), site = sample(c("x", "y"), n, TRUE))
h1 <- 0.05 * exp(0.6 * (d$grp == "b")); h2 <- 0.04 * exp(0.04 * (d$age - 60) - 0.4 * (d$grp == "c"))
t <- rexp(n, h1 + h2); kind <- ifelse(runif(n) < h1 / (h1 + h2), 1, 2); end <- runif(n, 3, 40)
d$time <- pmin(t, end); d$status <- ifelse(t <= end, kind, 0)
out$competing <- competing(d)
ties <- d; ties$time <- ceiling(ties$time)
out$competing_ties <- competing(ties)
two <- d[d$grp != "c", ]; two$grp <- factor(two$grp)
out$competing_two <- competing(two)
# strata in Fine and Gray's model: weights and baseline of each stratum (finegray), Breslow's ties, times without ties
state <- factor(d$status, 0:2, c("none", "event", "other"))
w <- finegray(Surv(time, state) ~ grp + age + site + strata(site), data.frame(d, state), etype = "event")
f <- coxph(Surv(fgstart, fgstop, fgstatus) ~ grp + age + strata(site), w, weights = fgwt, ties = "breslow",
           control = coxph.control(eps = 1e-14, toler.chol = 1e-15))
out$competing$fine_gray_stratified <- list(terms = names(coef(f)), coef = unname(coef(f)))

# curves standardised to strata, from the curves within them
d <- read.csv("../cases/strata.csv")
w <- table(d$centre) / nrow(d)
at <- c(3, 6, 12, 18, 23); until <- 20
one <- function(g) {
  s <- v <- 0; m <- mv <- 0
  for (k in names(w)) {
    fit <- survfit(Surv(months, dead) ~ 1, d[d$drug == g & d$centre == k, ])
    x <- summary(fit, times = at, extend = TRUE)
    s <- s + w[[k]] * x$surv; v <- v + w[[k]]^2 * x$std.err^2
    r <- summary(fit, rmean = until)$table
    m <- m + w[[k]] * r[["rmean"]]; mv <- mv + w[[k]]^2 * r[["se(rmean)"]]^2 * fit$n / (fit$n - 1)
  }
  list(survival = s, error = sqrt(v), mean = m, mean_variance = mv)
}
out$strata <- list(at = at, until = until, no = one("no"), yes = one("yes"),
                   alone = model(Surv(months, dead) ~ drug, d), stratified = model(Surv(months, dead) ~ drug + strata(centre), d),
                   logrank = unname(survdiff(Surv(months, dead) ~ drug + strata(centre), d)$chisq))
cat(toJSON(out, digits = I(15), auto_unbox = FALSE, na = "null", null = "null"), "\n")
