# References for senexo.assays.survival, made with R 4.2.2, survival 3.5-3, maxstat 0.7-25 (Debian r-base-core,
# r-cran-survival, r-cran-maxstat, r-cran-jsonlite):
#   Rscript survival.R > survival.json
# Inputs are printed beside the answers, 15 significant digits. Defaults of survfit, survdiff, coxph, cox.zph and
# concordance, but coxph iterates to 1e-14 (its default stops when the likelihood changes by 1e-9, which leaves some
# coefficients 1e-6 off); restricted means up to the longest time that all groups were followed.
suppressMessages({library(survival); library(maxstat); library(jsonlite)})
set.seed(20180515)
out <- list()

model <- function(formula, data) {
  fit <- do.call("coxph", list(formula, data, control = coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 50)))
  zph <- cox.zph(fit)$table
  con <- concordance(fit)
  list(terms = names(coef(fit)), coef = unname(coef(fit)), se = unname(sqrt(diag(vcov(fit)))), loglik = fit$loglik,
       p = unname(2 * pnorm(-abs(coef(fit) / sqrt(diag(vcov(fit)))))), n = fit$n, events = fit$nevent,
       zph_terms = rownames(zph), zph = unname(zph[, 1]), zph_df = unname(zph[, 2]), zph_p = unname(zph[, 3]),
       concordance = unname(con$concordance), concordance_se = sqrt(unname(con$var)))
}

# group: name of a factor or number; adjust, strata: names
case <- function(d, time, event, group, adjust = NULL, strata = NULL, curves = TRUE) {
  d <- d[complete.cases(d[, c(time, event, group, strata)]), c(time, event, group, adjust, strata)]
  s <- sprintf("Surv(%s, %s)", time, event)
  st <- if (length(strata)) sprintf(" + strata(%s)", paste(strata, collapse = ", ")) else ""
  f <- function(x) as.formula(paste(s, "~", x))
  found <- list(input = lapply(as.list(d), function(x) if (is.factor(x)) as.character(x) else x), time = time,
                event = event, group = group, adjust = adjust, strata = strata)
  found$alone <- model(f(paste0(group, st)), d)
  if (length(adjust)) found$adjusted <- model(f(paste0(paste(c(group, adjust), collapse = " + "), st)), d)
  if (!curves) return(found)
  fit <- survfit(f(group), d)
  until <- min(tapply(d[[time]], d[[group]], max))
  tab <- summary(fit, rmean = until)$table
  name <- sub("^[^=]*=", "", names(fit$strata))
  found$curves <- list(group = rep(name, fit$strata), time = fit$time, n_at_risk = fit$n.risk, n_events = fit$n.event,
                       n_censored = fit$n.censor, survival = fit$surv, std_error = fit$std.err, low = fit$lower,
                       high = fit$upper)
  found$groups <- list(group = name, n = unname(tab[, "records"]), n_events = unname(tab[, "events"]),
                       median = unname(tab[, "median"]), median_low = unname(tab[, "0.95LCL"]),
                       median_high = unname(tab[, "0.95UCL"]), mean = unname(tab[, "rmean"]),
                       mean_se = unname(tab[, "se(rmean)"]), until = until)
  reverse <- as.formula(sprintf("Surv(%s, 1 - as.numeric(%s)) ~ %s", time, event, group))
  found$groups$follow_up <- unname(summary(survfit(reverse, d))$table[, "median"])
  for (rho in 0:1) {
    test <- survdiff(f(paste0(group, st)), d, rho = rho)
    exp <- if (is.matrix(test$exp)) rowSums(test$exp) else test$exp
    found[[c("logrank", "peto")[rho + 1]]] <-
      list(chisq = unname(test$chisq), df = length(test$n) - 1, expected = unname(exp))
  }
  found
}

out$aml <- case(aml, "time", "status", "x")
lung$dead <- lung$status - 1
out$lung <- case(lung, "time", "dead", "sex", c("age", "ph.ecog"))
out$lung_strata <- case(lung, "time", "dead", "sex", c("age", "wt.loss"), "ph.ecog")
veteran$prior <- factor(veteran$prior, labels = c("no", "yes"))
out$veteran <- case(veteran, "time", "status", "celltype", c("karno", "age", "prior"))
out$ovarian <- case(ovarian, "futime", "fustat", "rx", c("age", "resid.ds"))

n <- 90
ties <- data.frame(time = sample(1:7, n, TRUE), event = rbinom(n, 1, 0.7), arm = sample(c("a", "b", "c"), n, TRUE),
                   site = sample(c("x", "y", "z"), n, TRUE), age = round(rnorm(n, 60, 9)))
out$heavy_ties <- case(ties, "time", "event", "arm", "age", "site")
out$half <- case(data.frame(time = c(1, 2, 4, 9, 1, 3, 5, 8, 8, 9), event = c(1, 1, 1, 0, 1, 0, 1, 1, 0, 1),
                            arm = rep(c("a", "b"), c(4, 6))), "time", "event", "arm")
n <- 120
level <- data.frame(time = round(rexp(n, 0.05), 2), event = rbinom(n, 1, 0.75), level = round(rnorm(n, 5, 2), 3),
                    age = round(rnorm(n, 60, 9)), sex = factor(sample(c("f", "m"), n, TRUE)))
out$level <- case(level, "time", "event", "level", c("age", "sex"), curves = FALSE)

# maximally selected log-rank statistics: no ties in time (maxstat's own scores), ties in time (Nelson-Aalen scores)
n <- 80
x <- round(rnorm(n), 2)
time <- rexp(n, exp(0.5 * (x > 0.4)))
stopifnot(!any(duplicated(time)))
event <- rbinom(n, 1, 0.8)
d <- data.frame(x, time, event)
m <- maxstat.test(Surv(time, event) ~ x, d, smethod = "LogRank", pmethod = "condMC", B = 1e6)
out$cut_untied <- list(input = as.list(d), statistic = unname(m$statistic), cut = unname(m$estimate),
                       p_permutation = m$p.value, p_hl = maxstat.test(Surv(time, event) ~ x, d, smethod = "LogRank",
                       pmethod = "HL")$p.value)
d <- data.frame(x = round(rnorm(70), 1), time = sample(1:12, 70, TRUE), event = rbinom(70, 1, 0.7))
d$score <- residuals(coxph(Surv(time, event) ~ 1, d, ties = "breslow"), type = "martingale")
m <- maxstat.test(score ~ x, d, smethod = "Data", pmethod = "condMC", B = 1e6)
out$cut_tied <- list(input = as.list(d), statistic = unname(m$statistic), cut = unname(m$estimate),
                     p_permutation = m$p.value)

# Firth: log L + log det I / 2 through coxph's own likelihood and variance at given coefficients
firth <- function(d, names) {
  f <- as.formula(paste("Surv(time, event) ~", paste(names, collapse = " + ")))
  p <- length(names)
  value <- function(b) {
    fit <- suppressWarnings(coxph(f, d, init = b, control = coxph.control(iter.max = 0)))
    fit$loglik[1] - 0.5 * log(det(vcov(fit)))
  }
  top <- function(fixed, at) {
    free <- setdiff(seq_len(p), fixed)
    if (!length(free)) return(value(at))
    g <- function(y) { b <- rep(0, p); b[fixed] <- at; b[free] <- y; -value(b) }
    if (length(free) == 1) return(-optimize(g, c(-15, 15), tol = 1e-12)$objective)
    -optim(rep(0, length(free)), g, method = "BFGS", control = list(reltol = 1e-16, maxit = 1000))$value
  }
  if (p == 1) best <- optimize(value, c(-15, 15), maximum = TRUE, tol = 1e-12)$maximum
  else {
    best <- rep(0, p)
    for (i in 1:5) best <- optim(best, function(b) -value(b), method = "BFGS",
                                 control = list(reltol = 1e-18, ndeps = rep(1e-5, p)))$par
  }
  peak <- value(best)
  ends <- sapply(seq_len(p), function(i) {
    fall <- function(b) 2 * (peak - top(i, b)) - qchisq(0.95, 1)
    c(uniroot(fall, c(best[i] - 12, best[i]), tol = 1e-11)$root, uniroot(fall, c(best[i], best[i] + 12), tol = 1e-11)$root)
  })
  list(input = as.list(d), names = names, coef = best, low = ends[1, ], high = ends[2, ],
       p = sapply(seq_len(p), function(i) pchisq(2 * (peak - top(i, 0)), 1, lower.tail = FALSE)),
       se = unname(sqrt(diag(vcov(suppressWarnings(coxph(f, d, init = best, control = coxph.control(iter.max = 0))))))),
       penalised = peak, plain = suppressWarnings(max(abs(coef(coxph(f, d))))))
}
d <- data.frame(time = round(rexp(24, 0.1), 1) + 0.1, event = rep(c(1, 0), c(12, 12)), arm = rep(c(0, 1), c(12, 12)))
d$event[c(3, 8)] <- 0
out$firth_one <- firth(d, "arm")
d <- data.frame(time = round(rexp(40, 0.1)) + 1, event = rbinom(40, 1, 0.7), arm = rep(c(0, 1), 20), age = round(rnorm(40), 2))
d$event[d$arm == 1] <- 0
out$firth_two <- firth(d, c("arm", "age"))

p <- c(0.001, 0.8, 0.03, 0.02, 0.02, 0.5, 0.0004)
out$p_adjust <- list(p = p, holm = p.adjust(p, "holm"), bh = p.adjust(p, "BH"))

cat(toJSON(out, digits = I(15), auto_unbox = FALSE, na = "null", null = "null"), "\n")
