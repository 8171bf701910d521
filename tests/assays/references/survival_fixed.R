# References for survival at fixed times, pairs of groups and trend, made with R 4.2.2, survival 3.5-3 (Debian r-base-core,
# r-cran-survival, r-cran-jsonlite):
#   Rscript survival_fixed.R > survival_fixed.json
# Inputs are printed beside the answers, 15 significant digits. The difference at a time and the trend are computed from
# survfit and survdiff by their definitions (Klein et al. 2007; Tarone 1975).
suppressMessages({library(survival); library(jsonlite)})
set.seed(20261201)
one <- function(n, digits, rates, censor, late = FALSE) {
  d <- data.frame(grp = rep(c("low", "mid", "top"), length.out = n), centre = rep(c("x", "y"), each = ceiling(n / 2))[1:n])
  x <- rexp(n, rates[d$grp]); cens <- runif(n, censor / 3, censor)
  d$entry <- if (late) round(runif(n, 0, 2), digits) else 0
  d$time <- round(pmin(x, cens), digits) + d$entry + 10^-digits; d$dead <- as.integer(x <= cens)
  d
}
answers <- function(d, at) {
  s <- if (any(d$entry > 0)) "Surv(entry, time, dead)" else "Surv(time, dead)"
  fit <- function(g) {
    f <- summary(survfit(as.formula(paste(s, "~ 1")), d[d$grp == g, ], conf.type = "log-log"), times = at, extend = TRUE)
    list(survival = f$surv, low = f$lower, high = f$upper, n_at_risk = f$n.risk, se_log = f$std.err / f$surv)
  }
  by <- lapply(setNames(nm = c("low", "mid", "top")), fit)
  gap <- function(g) {
    a <- by[[g]]; b <- by$low; la <- log(a$survival); lb <- log(b$survival)
    chi <- (log(-la) - log(-lb))^2 / ((a$se_log / la)^2 + (b$se_log / lb)^2)
    z <- a$survival - b$survival
    list(difference = z, p = pchisq(chi, 1, lower.tail = FALSE),
         low = z - sqrt((a$survival - a$low)^2 + (b$high - b$survival)^2),
         high = z + sqrt((a$high - a$survival)^2 + (b$survival - b$low)^2))
  }
  out <- list(input = as.list(d), at = at, groups = by, gaps = list(mid = gap("mid"), top = gap("top")))
  if (any(d$entry > 0)) return(out)
  for (strata in c("none", "centre")) {
    f <- as.formula(paste("Surv(time, dead) ~ grp", if (strata == "none") "" else "+ strata(centre)"))
    pairs <- list(c("mid", "low"), c("top", "low"), c("top", "mid"))
    chi <- sapply(pairs, function(p) survdiff(f, d[d$grp %in% p, ])$chisq)
    p <- pchisq(chi, 1, lower.tail = FALSE)
    whole <- survdiff(f, d)
    total <- function(x) if (is.matrix(x)) rowSums(x) else x
    u <- total(whole$obs) - total(whole$exp); c <- 0:2
    trend <- sum(c * u)^2 / drop(t(c) %*% whole$var %*% c)
    out[[strata]] <- list(pairs = pairs, chisq = chi, p = p, holm = p.adjust(p, "holm"), trend = trend,
                          trend_p = pchisq(trend, 1, lower.tail = FALSE), gap = sum(c * u))
  }
  out
}
out <- list(
  plain = answers(one(60, 3, c(low = 0.05, mid = 0.1, top = 0.2), 30), c(5, 10)),
  ties = answers(one(45, 0, c(low = 0.2, mid = 0.12, top = 0.08), 25), c(4, 8)),
  late = answers(one(60, 3, c(low = 0.05, mid = 0.1, top = 0.2), 30, TRUE), c(5, 10)))
cat(toJSON(out, digits = I(15), auto_unbox = TRUE, na = "null"), "\n")
