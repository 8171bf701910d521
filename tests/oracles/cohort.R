# Answers on the made-up cohort of make_cohort.py:
#   Rscript tests/oracles/cohort.R        (writes cohort/answers.json)
# R 4.2.2, survival 3.5-3, jsonlite (Debian r-base-core, r-cran-survival, r-cran-jsonlite); 15 significant digits. coxph
# iterates to 1e-14: its default stops when the likelihood changes by 1e-9, which leaves some coefficients 1e-6 off.
# Restricted means up to the longest time that both groups were followed. Levels are log2(RPM + 1).
suppressMessages({library(survival); library(jsonlite)})
here <- file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))), "cohort")
model <- function(formula, data) {
  fit <- do.call("coxph", list(formula, data, control = coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 50)))
  zph <- cox.zph(fit)$table
  con <- concordance(fit)
  list(coef = unname(coef(fit)), se = unname(sqrt(diag(vcov(fit)))), loglik = fit$loglik,
       p = unname(summary(fit)$coefficients[, "Pr(>|z|)"]), n = fit$n, events = fit$nevent,
       zph = unname(zph[, 1]), zph_p = unname(zph[, 3]),
       concordance = unname(con$concordance), concordance_se = sqrt(unname(con$var)))
}
clinical <- read.csv(file.path(here, "clinical.csv"))
rpm <- read.csv(file.path(here, "rpm.csv"), check.names = FALSE)
both <- merge(clinical, rpm, by = "patient")
out <- list(made_with = list(R = paste(R.version$major, R.version$minor, sep = "."),
                             survival = as.character(packageVersion("survival"))),
            joined = nrow(both))
both <- both[!is.na(both$os_days) & both$os_days > 0, ]
for (subset in c("all", "without_M3")) {
  d <- if (subset == "all") both else both[both$FAB != "M3", ]
  found <- list(n = nrow(d), events = sum(d$os_event))
  for (rna in c("hsa-mir-34a", "hsa-mir-20b")) {
    d$level <- log2(d[[rna]] + 1)
    d$high <- d$level > median(d$level)
    test <- survdiff(Surv(os_days, os_event) ~ high, d)
    fit <- survfit(Surv(os_days, os_event) ~ high, d)
    until <- min(tapply(d$os_days, d$high, max))
    tab <- summary(fit, rmean = until)$table
    found[[rna]] <- list(median_level = median(d$level), chisq = unname(test$chisq),
      p = pchisq(test$chisq, 1, lower.tail = FALSE), expected = unname(test$exp), median = unname(tab[, "median"]),
      median_low = unname(tab[, "0.95LCL"]), mean = unname(tab[, "rmean"]), mean_se = unname(tab[, "se(rmean)"]),
      alone = model(Surv(os_days, os_event) ~ level, d),
      adjusted = model(Surv(os_days, os_event) ~ level + age + cyto_risk, d),
      split_alone = model(Surv(os_days, os_event) ~ high, d),
      split_adjusted = model(Surv(os_days, os_event) ~ high + age + cyto_risk, d))
  }
  found$age <- model(Surv(os_days, os_event) ~ age, d)
  found$age_strata <- model(Surv(os_days, os_event) ~ age + strata(cyto_risk), d)
  risk <- survdiff(Surv(os_days, os_event) ~ cyto_risk, d)
  found$cyto_risk <- list(chisq = unname(risk$chisq), model = model(Surv(os_days, os_event) ~ cyto_risk, d))
  tested <- c("hsa-mir-10a", "hsa-mir-196b", "hsa-mir-25", "hsa-mir-20b", "hsa-mir-363", "hsa-mir-532", "hsa-mir-660")
  p <- sapply(tested, function(rna) model(Surv(os_days, os_event) ~ level, transform(d, level = log2(d[[rna]] + 1)))$p)
  found$screen <- list(rna = tested, p = unname(p), holm = unname(p.adjust(p, "holm")), bh = unname(p.adjust(p, "BH")))
  out[[subset]] <- found
}
write(toJSON(out, digits = I(15), auto_unbox = FALSE, na = "null", pretty = 1), file.path(here, "answers.json"))
