# References for senexo.assays.fates, colonies and balance, made with R 4.2.2, survival 3.5-3, cmprsk 2.2-11,
# MASS 7.3-58 (Debian r-base-core, r-cran-survival, r-cran-cmprsk, r-cran-jsonlite):
#   Rscript culture.R > culture.json
# Inputs are printed beside the answers, 15 significant digits.
suppressMessages({library(survival); library(cmprsk); library(MASS); library(jsonlite)})
set.seed(20180515)
out <- list()
tracks <- function(n, rates, end, digits, entry = FALSE) {
  t <- rexp(n, sum(rates)); k <- sample(seq_along(rates), n, TRUE, rates)
  c <- pmin(end, rexp(n, 0.008)); e <- if (entry) round(runif(n, 0, 6), digits) else rep(0, n)
  time <- round(pmax(pmin(t, c), 0.5), digits); time <- pmax(time, e + 0.5)
  list(entry = e, time = time, cause = ifelse(t <= c, k, 0))
}
incidence <- function(d) {
  f <- factor(d$cause, 0:2, c("open", "division", "death"))
  fit <- if (all(d$entry == 0)) survfit(Surv(d$time, f) ~ 1, conf.type = "log-log")
         else survfit(Surv(d$entry, d$time, f) ~ 1, id = seq_along(f), conf.type = "log-log")
  s <- summary(fit, times = sort(unique(d$time[d$cause > 0])))
  at <- c(12, 30)
  other <- if (all(d$entry == 0)) timepoints(cuminc(d$time, d$cause), at)$est else matrix(NA, 2, 2)
  list(entry = d$entry, time = d$time, cause = d$cause, times = s$time, at_risk = s$n.risk[, 1],
       division = s$pstate[, 2], death = s$pstate[, 3], division_error = s$std.err[, 2], death_error = s$std.err[, 3],
       low = s$lower[, 2], high = s$upper[, 2], at = at, cuminc = as.vector(other[, 1:2]))
}
out$untied <- incidence(tracks(60, c(0.03, 0.01), 48, 6))
out$tied <- incidence(tracks(80, c(0.05, 0.02), 48, 0))
out$entries <- incidence(tracks(70, c(0.04, 0.02), 48, 1, TRUE))

# two arms of four donors: scores of the cause-specific log-rank test within donors, and their t-test
d <- do.call(rbind, lapply(1:4, function(i) do.call(rbind, lapply(0:1, function(a) {
  x <- tracks(25, c(if (a) 0.02 else 0.05, 0.01) * exp(0.2 * i), 48, 1)
  data.frame(donor = i, arm = a, time = x$time, cause = x$cause) }))))
score <- sapply(1:4, function(i) { s <- survdiff(Surv(time, cause == 1) ~ arm, d, subset = donor == i)
  s$obs[2] - s$exp[2] })
at <- sapply(0:1, function(a) sapply(1:4, function(i) {
  x <- d[d$donor == i & d$arm == a, ]
  summary(survfit(Surv(x$time, factor(x$cause, 0:2)) ~ 1), times = 24, extend = TRUE)$pstate[2] }))
t1 <- t.test(at[, 2], at[, 1], paired = TRUE)
out$arms <- c(as.list(d), list(score = score, p_score = t.test(score)$p.value, difference = unname(t1$estimate),
              ci = t1$conf.int, p = t1$p.value))

# colonies: quasi-Poisson with donors as blocks, negative binomial of dishes, exact conditional test of one donor
colony <- function(d) {
  s <- aggregate(cbind(colonies, plated) ~ arm + donor, d, sum)
  q <- glm(colonies ~ arm + donor + offset(log(plated)), quasipoisson, s, control = glm.control(1e-14, 200))
  phi <- max(summary(q)$dispersion, 1); df <- q$df.residual
  se <- sqrt(summary(q, dispersion = 1)$cov.unscaled["arm", "arm"] * phi); b <- unname(coef(q)["arm"])
  y <- s$colonies[s$arm == 1]; m <- tapply(s$colonies, s$donor, sum); e <- fitted(q)[s$arm == 1]; w <- e * (1 - e / m)
  se <- max(se, sqrt(sum((y - e)^2 / (1 - w / sum(w)))) / sum(w))  # HC2 of the conditional logistic model
  nb <- suppressWarnings(glm.nb(colonies ~ arm + donor + offset(log(plated)), d, control = glm.control(1e-12, 200)))
  list(arm = d$arm, donor = as.character(d$donor), colonies = d$colonies, plated = d$plated, ratio = exp(b),
       ci = exp(b + c(-1, 1) * qt(0.975, df) * se), p = 2 * pt(-abs(b / se), df), dispersion = summary(q)$dispersion,
       ratio_nb = unname(exp(coef(nb)["arm"])), theta = nb$theta, p_nb = summary(nb)$coefficients["arm", 4])
}
dishes <- function(n, wells, mean, effect, spread, theta) {
  d <- expand.grid(well = seq_len(wells), arm = 0:1, donor = factor(letters[seq_len(n)]))
  u <- rnorm(n, 0, 0.5); v <- rnorm(n, 0, spread); i <- as.integer(d$donor)
  d$plated <- ifelse(d$arm == 1, 2000, 1000)
  d$colonies <- rnbinom(nrow(d), size = theta, mu = d$plated / 1000 * mean * exp(u[i] + d$arm * (log(effect) + v[i])))
  d
}
out$scattered <- colony(dishes(5, 3, 20, 0.5, 0.4, 4))
out$few <- colony(dishes(4, 4, 3, 0.6, 0.1, 2))
p <- poisson.test(c(7, 15), c(3000, 2000))
out$exact <- list(colonies = c(7, 15), plated = c(3000, 2000), p_one_sided = c(
  poisson.test(c(7, 15), c(3000, 2000), alternative = "less")$p.value), ci = p$conf.int, ratio = unname(p$estimate))

# balance: t-tests, and Fieller's ends as the ratios that a t-test of gain - ratio x loss just rejects
loss <- c(5.1, 7.9, 6.2, 9.4, 4.8); gain <- c(2.9, 5.6, 3.3, 6.9, 2.2)
edge <- function(r) t.test(gain - r * loss)$p.value - 0.05; mid <- mean(gain) / mean(loss)
out$fieller <- list(loss = loss, gain = gain, p_loss = t.test(loss)$p.value, p_gain = t.test(gain)$p.value,
  loss_ci = t.test(loss)$conf.int, ratio = mid,
  ci = c(uniroot(edge, c(0, mid), tol = 1e-14)$root, uniroot(edge, c(mid, 3), tol = 1e-14)$root))
cat(toJSON(out, digits = I(15), auto_unbox = FALSE, pretty = TRUE))
